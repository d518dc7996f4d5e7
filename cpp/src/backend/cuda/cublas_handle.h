// Matrix products on a stream, by cuBLAS.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/cuda/cublas_library.h"

namespace inferometer::cuda {

/// Row-major y (m, n) = x (m, k) * w (k, n), where w may be stored as (n, k).
struct Product {
  int64_t m, n, k;
  bool transpose_w = false;
};

/// A product for each of `count`; strides count floats, 0 uses the same operand again.
struct ProductBatch {
  int64_t count;
  int64_t x_stride, w_stride, y_stride;
};

/// cuBLAS's handle for one stream. Makes no memory of its own once there is a workspace.
/// Single-owner.
class CublasHandle {
 public:
  /// `workspace`: device memory of `bytes` that outlives this. The stream's device is current.
  /// Throws DeviceError.
  CublasHandle(const CublasLibrary& library, cudaStream_t stream, std::byte* workspace,
               size_t bytes);
  /// Destroys the handle, while the stream's device is current; else forget() it.
  ~CublasHandle();
  CublasHandle(const CublasHandle&) = delete;
  CublasHandle& operator=(const CublasHandle&) = delete;
  /// The device took the handle's memory along.
  void forget() noexcept { handle_ = nullptr; }

  void multiply(const Product& product, const float* x, const float* w, float* y);
  void multiply(const Product& product, const ProductBatch& batch, const float* x, const float* w,
                float* y);

 private:
  void check(cublas::Status status, std::string_view what) const;

  const CublasLibrary& library_;
  const cudaStream_t stream_;
  cublas::Handle handle_ = nullptr;
};

}  // namespace inferometer::cuda
