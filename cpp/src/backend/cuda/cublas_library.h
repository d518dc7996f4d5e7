// cuBLAS, opened when the first model for a GPU is loaded: it is 600 MB on disk and takes 50 ms and
// more to open, which nobody is to pay for who needs no GPU.
#pragma once

#include <string>

#include "backend/cuda/cublas_abi.h"

namespace inferometer::cuda {

/// The functions of cuBLAS 13 that are used here; open for the life of the process. Const-safe.
struct CublasLibrary {
  /// The library in `folder`, or where the dynamic linker finds it if that is empty. The first call
  /// opens it, and later ones get the same. Throws DeviceError naming the package to install.
  /// Thread-safe.
  static const CublasLibrary& open(const std::string& folder);

  cublas::CreateFunction* create;
  cublas::DestroyFunction* destroy;
  cublas::VersionFunction* version;
  cublas::SetStreamFunction* set_stream;
  cublas::SetWorkspaceFunction* set_workspace;
  cublas::SetMathModeFunction* set_math_mode;
  cublas::StatusStringFunction* status_string;
  cublas::SgemmFunction* sgemm;
  cublas::SgemmStridedBatchedFunction* sgemm_strided_batched;
};

}  // namespace inferometer::cuda
