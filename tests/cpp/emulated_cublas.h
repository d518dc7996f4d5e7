// The libcublas.so.13 of the emulation of CUDA, loaded as the real one is.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "backend/cuda/cublas_abi.h"
#include "emulated_array.h"

namespace inferometer {

/// A function of the library, whose path the build gives.
template <typename Function>
Function* cublas_function(const char* name) {
  static void* const library = dlopen(INFEROMETER_EMULATED_CUBLAS, RTLD_NOW | RTLD_LOCAL);
  void* const found = library == nullptr ? nullptr : dlsym(library, name);
  EXPECT_NE(found, nullptr) << name << ": " << dlerror();
  return reinterpret_cast<Function*>(found);
}

/// A matrix product as a caller would write it; what is left out is as it mostly is. Plain data.
struct Product {
  cublas::Operation op_a = cublas::kAsIs;
  cublas::Operation op_b = cublas::kAsIs;
  int m = 1;
  int n = 1;
  int k = 1;
  float alpha = 1.0F;
  const float* a = nullptr;
  int lda = 1;
  const float* b = nullptr;
  int ldb = 1;
  float beta = 0.0F;
  float* c = nullptr;
  int ldc = 1;
};

/// A handle on the first device, and the functions. Single-owner.
class CublasTest : public EmulationTest {
 protected:
  void SetUp() override {
    EmulationTest::SetUp();
    ASSERT_EQ(create(&handle), cublas::kSuccess);
  }

  cublas::Status multiply(const Product& p) const {
    return sgemm(handle, p.op_a, p.op_b, p.m, p.n, p.k, &p.alpha, p.a, p.lda, p.b, p.ldb, &p.beta,
                 p.c, p.ldc);
  }

  cublas::CreateFunction* create = cublas_function<cublas::CreateFunction>("cublasCreate_v2");
  cublas::DestroyFunction* destroy = cublas_function<cublas::DestroyFunction>("cublasDestroy_v2");
  cublas::SetStreamFunction* set_stream =
      cublas_function<cublas::SetStreamFunction>("cublasSetStream_v2");
  cublas::SetWorkspaceFunction* set_workspace =
      cublas_function<cublas::SetWorkspaceFunction>("cublasSetWorkspace_v2");
  cublas::SetMathModeFunction* set_math_mode =
      cublas_function<cublas::SetMathModeFunction>("cublasSetMathMode");
  cublas::VersionFunction* get_version =
      cublas_function<cublas::VersionFunction>("cublasGetVersion_v2");
  cublas::SgemmFunction* sgemm = cublas_function<cublas::SgemmFunction>("cublasSgemm_v2");
  cublas::SgemmStridedBatchedFunction* sgemm_batched =
      cublas_function<cublas::SgemmStridedBatchedFunction>("cublasSgemmStridedBatched");
  cublas::StatusStringFunction* status_string =
      cublas_function<cublas::StatusStringFunction>("cublasGetStatusString");
  cublas::Handle handle = nullptr;
};

}  // namespace inferometer
