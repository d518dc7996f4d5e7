// The device seam, second half: one method per maths operation, in the order of the calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/operations.h"

namespace inferometer {

/// The parts of a run on a device that the host's memory has to be copied to.
enum class RunPart : uint8_t { kInput, kInfer, kOutput };

/// Work for one device, done in the order of the calls. `float*` parameters are device pointers,
/// aligned to the element size, and never overlap an output. `rows` is at least 1. A null bias or
/// residual is absent; a residual has the shape of the output and may not be the output. Methods
/// throw DeviceError if the device fails; otherwise they have no errors to report: shapes were
/// checked when the model was compiled. What a method was given may be in use until synchronize()
/// has returned, host memory too; a destructor waits. Single-owner, but not bound to a thread.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Returns when everything is done. Throws the DeviceError of whatever failed until now.
  virtual void synchronize() = 0;
  /// Waits as synchronize() does; for who has an error to report already.
  virtual void abandon() noexcept = 0;

  /// Host memory: Backend::allocate_staging(), or the copy may take place at once.
  virtual void copy_in(std::byte* device, const std::byte* host, size_t bytes) = 0;
  virtual void copy_out(std::byte* host, const std::byte* device, size_t bytes) = 0;
  virtual void copy(std::byte* to, const std::byte* from, size_t bytes) = 0;

  /// What follows is of this part of a run; parts come in their order. end_run() ends the last one.
  /// After the next synchronize() elapsed_ns() says what each took on the device, 0 where nobody
  /// measures.
  virtual void begin(RunPart /*part*/) {}
  virtual void end_run() {}
  [[nodiscard]] virtual int64_t elapsed_ns(RunPart /*part*/) const noexcept { return 0; }

  virtual void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                      const float* bias, const float* residual, float* y, std::byte* workspace) = 0;
  virtual void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) = 0;
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
