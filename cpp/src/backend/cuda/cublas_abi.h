// The part of cuBLAS's binary interface that is used here, declared anew: the library is loaded at
// run time, and nobody needs NVIDIA's 500 MB to build this. Compared by hand with the headers of
// cuBLAS 13.0.2 (PyPI: nvidia-cublas). Matrices are column-major; alpha and beta are in host
// memory.
#pragma once

#include <cstddef>

struct CUstream_st;

namespace inferometer::cublas {

struct HandleRecord;
using Handle = HandleRecord*;
using Stream = CUstream_st*;

// Enumerations are as wide as C makes them.
// NOLINTBEGIN(performance-enum-size)

/// What every function returns.
enum Status : int {
  kSuccess = 0,
  kNotInitialized = 1,
  kAllocFailed = 3,
  kInvalidValue = 7,
  kArchMismatch = 8,
  kMappingError = 11,
  kExecutionFailed = 13,
  kInternalError = 14,
  kNotSupported = 15,
  kLicenseError = 16,
};

enum Operation : int { kAsIs = 0, kTransposed = 1, kConjugateTransposed = 2 };

/// How floats are multiplied: kPedanticMath in the very format, kTf32Math in 10 bits of mantissa.
enum Math : int { kDefaultMath = 0, kPedanticMath = 2, kTf32Math = 3 };

// NOLINTEND(performance-enum-size)

/// A workspace begins at a multiple of so many bytes.
inline constexpr size_t kWorkspaceAlignment = 256;

/// cublasCreate_v2, cublasDestroy_v2: on the current device.
using CreateFunction = Status(Handle*);
using DestroyFunction = Status(Handle);
/// cublasGetVersion_v2: 130002 is 13.0.2.
using VersionFunction = Status(Handle, int*);
/// cublasSetStream_v2: forgets the workspace too.
using SetStreamFunction = Status(Handle, Stream);
/// cublasSetWorkspace_v2: device memory that stays the caller's.
using SetWorkspaceFunction = Status(Handle, void*, size_t bytes);
/// cublasSetMathMode.
using SetMathModeFunction = Status(Handle, Math);
/// cublasGetStatusString: never null.
using StatusStringFunction = const char*(Status);
/// cublasSgemm_v2: c = alpha * op(a) * op(b) + beta * c, where op(a) is m x k and op(b) k x n.
using SgemmFunction = Status(Handle, Operation, Operation, int m, int n, int k, const float* alpha,
                             const float* a, int lda, const float* b, int ldb, const float* beta,
                             float* c, int ldc);
/// cublasSgemmStridedBatched: the same `batch` times, a stride of floats apart; 0 uses one again.
using SgemmStridedBatchedFunction = Status(Handle, Operation, Operation, int m, int n, int k,
                                           const float* alpha, const float* a, int lda,
                                           long long stride_a, const float* b, int ldb,
                                           long long stride_b, const float* beta, float* c, int ldc,
                                           long long stride_c, int batch);

}  // namespace inferometer::cublas
