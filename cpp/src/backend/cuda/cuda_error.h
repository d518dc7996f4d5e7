// CUDA's error codes as the library's errors.
#pragma once

#include <cuda_runtime.h>

namespace inferometer::cuda {

/// Throws DeviceError, "cudaErrorMemoryAllocation: out of memory (allocating 123 bytes)" where
/// `what` is "allocating 123 bytes", and forgets the error where CUDA lets it be forgotten.
[[noreturn]] void fail(cudaError_t status, const char* what);

/// fail() unless `status` is success.
inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) fail(status, what);
}

/// True for errors after which nothing can be done with the device any more: CUDA gives the same
/// error to every later call of this process.
[[nodiscard]] bool is_sticky(cudaError_t status) noexcept;

}  // namespace inferometer::cuda
