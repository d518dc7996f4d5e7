// The device seam: memory and one method per maths operation. Everything above it works with any
// device; everything below it works with device pointers and plain numbers (operations.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/operations.h"

namespace inferometer {

/// A device that runs operations in the order of the calls. `float*` parameters are device
/// pointers, aligned to the element size, and never overlap an output. `rows` is at least 1. A null
/// bias or residual is absent; a residual has the shape of the output and may not be the output.
/// Methods throw DeviceError if the device fails, std::bad_alloc if memory does; otherwise they
/// have no errors to report: shapes were checked when the model was compiled. Operations may still
/// be running when a method returns, until synchronize() or copy_out(). Thread-safe: calls on
/// disjoint memory may be made at the same time.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// True if device pointers are host pointers, so that operations may read inputs and write
  /// outputs where the caller has them.
  [[nodiscard]] virtual bool uses_host_memory() const noexcept = 0;

  /// At least one byte, 64-byte aligned, uninitialised.
  [[nodiscard]] virtual std::byte* allocate(size_t bytes) = 0;
  virtual void deallocate(std::byte* data, size_t bytes) noexcept = 0;
  virtual void copy_in(std::byte* device, const std::byte* host, size_t bytes) = 0;
  virtual void copy_out(std::byte* host, const std::byte* device, size_t bytes) = 0;
  virtual void copy(std::byte* to, const std::byte* from, size_t bytes) = 0;
  virtual void synchronize() = 0;

  /// Scratch memory that conv2d() needs for `rows` rows. Never falls with `rows`.
  [[nodiscard]] virtual size_t conv2d_workspace_bytes(const Conv2d& op, int64_t rows) const = 0;
  virtual void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                      const float* bias, const float* residual, float* y, std::byte* workspace) = 0;
  virtual void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) = 0;
  /// Weights of gemm() are kept in whatever order suits the device: so many bytes, written from
  /// host memory (in the order that Gemm says) once, when a model is compiled.
  [[nodiscard]] virtual size_t gemm_weights_bytes(const Gemm& op) const = 0;
  virtual void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) = 0;
  virtual void gemm(const Gemm& op, int64_t rows, const float* x, const std::byte* weights,
                    const float* bias, float* y) = 0;
  virtual void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) = 0;
  virtual void add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b,
                   float* y) = 0;
  /// Over `elements` elements in all.
  virtual void relu(int64_t elements, const float* x, float* y) = 0;
  virtual void softmax(const Softmax& op, int64_t rows, const float* x, float* y) = 0;
  virtual void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) = 0;
  virtual void channel_affine(const ChannelAffine& op, int64_t rows, const float* x,
                              const float* scale, const float* shift, float* y) = 0;
};

}  // namespace inferometer
