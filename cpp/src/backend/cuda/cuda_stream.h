// A CUDA stream as the seam sees it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "backend/cuda/cublas_handle.h"
#include "backend/cuda/cuda_context.h"
#include "backend/stream.h"

namespace inferometer::cuda {

/// Kernels and copies on a stream of its own, products by cuBLAS, parts of a run timed by events.
/// Single-owner, but not bound to a thread.
class CudaStream final : public Stream {
 public:
  /// cuBLAS's own recommendation: 32 MiB from compute capability 9.0, 4 MiB before.
  [[nodiscard]] static size_t workspace_bytes(int compute_major) noexcept;

  /// Throws DeviceError.
  CudaStream(std::shared_ptr<Context> context, const CublasLibrary& library,
             size_t workspace_bytes);
  ~CudaStream() override;

  void synchronize() override;
  void abandon() noexcept override;
  void copy_in(std::byte* device, const std::byte* host, size_t bytes) override;
  void copy_out(std::byte* host, const std::byte* device, size_t bytes) override;
  void copy(std::byte* to, const std::byte* from, size_t bytes) override;
  void begin(RunPart part) override;
  void end_run() override;
  [[nodiscard]] int64_t elapsed_ns(RunPart part) const noexcept override;

  void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
              const float* bias, const float* residual, float* y, std::byte* workspace) override;
  void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) override;
  void gemm(const Gemm& op, int64_t rows, const float* x, const std::byte* weights,
            const float* bias, float* y) override;
  void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) override;
  void add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b, float* y) override;
  void relu(int64_t elements, const float* x, float* y) override;
  void softmax(const Softmax& op, int64_t rows, const float* x, float* y) override;
  void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) override;
  void channel_affine(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                      const float* shift, float* y) override;

 private:
  void create(const CublasLibrary& library, size_t workspace_bytes);
  void destroy() noexcept;
  void copy_async(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, const char* what);
  void multiply_columns(const Conv2d& op, int64_t rows, const float* columns, const float* weights,
                        float* y);

  const std::shared_ptr<Context> context_;
  cudaStream_t stream_ = nullptr;
  std::byte* workspace_ = nullptr;  // cuBLAS's
  std::unique_ptr<CublasHandle> cublas_;
  std::array<cudaEvent_t, 4> marks_{};  // the beginnings of the parts, and the end
};

/// Device memory for the columns of a convolution (im2col), of as many rows as are done at once.
[[nodiscard]] size_t column_bytes(const Conv2d& op, int64_t rows) noexcept;

}  // namespace inferometer::cuda
