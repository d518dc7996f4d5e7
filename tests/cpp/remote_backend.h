// A device whose memory the host cannot reach, made of the CPU: what a GPU asks of the layers
// above.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "backend/cpu_backend.h"
#include "inferometer/errors.h"

namespace inferometer {

/// Memory on the CPU that only its streams may touch. Counts. A stream throws std::logic_error if
/// an operand is not in memory that was handed out here. Single-owner.
class RemoteBackend final : public Backend {
 public:
  explicit RemoteBackend(bool host_memory = false) : host_memory_(host_memory) {}

  int allocations = 0;
  int staging_allocations = 0;
  int loads = 0;
  int copies_in = 0, copies_out = 0;
  int operations = 0;
  size_t live_bytes = 0;
  size_t live_staging_bytes = 0;
  /// The allocation, staging included, that fails: counted down to 0.
  int fails_in = -1;

  [[nodiscard]] std::string_view name() const noexcept override { return "remote"; }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return host_memory_; }
  [[nodiscard]] std::byte* allocate(size_t bytes) override {
    fail_if_due();
    std::byte* data = cpu_->allocate(bytes);
    ++allocations;
    live_bytes += bytes;
    blocks_[data] = bytes;
    return data;
  }
  void deallocate(std::byte* data, size_t bytes) noexcept override {
    live_bytes -= bytes;
    blocks_.erase(data);
    cpu_->deallocate(data, bytes);
  }
  [[nodiscard]] std::byte* allocate_staging(size_t bytes) override {
    fail_if_due();
    ++staging_allocations;
    live_staging_bytes += bytes;
    return cpu_->allocate_staging(bytes);
  }
  void deallocate_staging(std::byte* host, size_t bytes) noexcept override {
    live_staging_bytes -= bytes;
    cpu_->deallocate_staging(host, bytes);
  }
  [[nodiscard]] std::unique_ptr<Stream> make_stream() override;
  void load(std::byte* device, const std::byte* host, size_t bytes) override {
    check(device);
    ++loads;
    cpu_->load(device, host, bytes);
  }
  [[nodiscard]] size_t gemm_weights_bytes(const Gemm& op) const override {
    return cpu_->gemm_weights_bytes(op);
  }
  void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) override {
    check(device);
    ++loads;
    cpu_->load_gemm_weights(op, host, device);
  }
  [[nodiscard]] size_t conv2d_workspace_bytes(const Conv2d& op, int64_t rows) const override {
    return cpu_->conv2d_workspace_bytes(op, rows);
  }

  void check(const void* pointer) const {
    if (pointer == nullptr || host_memory_) return;
    const auto* data = static_cast<const std::byte*>(pointer);
    const auto next = blocks_.upper_bound(data);
    if (next != blocks_.begin()) {
      const auto& [start, bytes] = *std::prev(next);
      if (data <= start + bytes) return;
    }
    throw std::logic_error("an operand is not in the device's memory");
  }

 private:
  friend class RemoteStream;
  void fail_if_due() {
    if (fails_in >= 0 && fails_in-- == 0) throw DeviceError("no memory left");
  }

  const bool host_memory_;
  const std::shared_ptr<Backend> cpu_ = make_cpu_backend();
  std::map<const std::byte*, size_t> blocks_;
};

/// Forwards to a CPU stream. Single-owner.
class RemoteStream final : public Stream {
 public:
  explicit RemoteStream(RemoteBackend& device) : device_(device) {}

  void synchronize() override {}
  void abandon() noexcept override {}
  void copy_in(std::byte* device, const std::byte* host, size_t bytes) override {
    device_.check(device);
    ++device_.copies_in;
    cpu_->copy_in(device, host, bytes);
  }
  void copy_out(std::byte* host, const std::byte* device, size_t bytes) override {
    device_.check(device);
    ++device_.copies_out;
    cpu_->copy_out(host, device, bytes);
  }
  void copy(std::byte* to, const std::byte* from, size_t bytes) override {
    check_all(to, from);
    cpu_->copy(to, from, bytes);
  }
  [[nodiscard]] int64_t elapsed_ns(RunPart part) const noexcept override {
    return part == RunPart::kInput ? 1000 : part == RunPart::kOutput ? 500 : 2000;
  }
  void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
              const float* bias, const float* residual, float* y, std::byte* workspace) override {
    check_all(x, weights, bias, residual, y, workspace);
    cpu_->conv2d(op, rows, x, weights, bias, residual, y, workspace);
  }
  void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) override {
    check_all(x, y);
    cpu_->pool2d(op, rows, x, y);
  }
  void gemm(const Gemm& op, int64_t rows, const float* x, const std::byte* weights,
            const float* bias, float* y) override {
    check_all(x, weights, bias, y);
    cpu_->gemm(op, rows, x, weights, bias, y);
  }
  void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) override {
    check_all(a, b, y);
    cpu_->matmul(op, rows, a, b, y);
  }
  void add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b,
           float* y) override {
    check_all(a, b, y);
    cpu_->add(op, rows, a, b, y);
  }
  void relu(int64_t elements, const float* x, float* y) override {
    check_all(x, y);
    cpu_->relu(elements, x, y);
  }
  void softmax(const Softmax& op, int64_t rows, const float* x, float* y) override {
    check_all(x, y);
    cpu_->softmax(op, rows, x, y);
  }
  void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) override {
    check_all(x, y);
    cpu_->reduce_mean(op, rows, x, y);
  }
  void channel_affine(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                      const float* shift, float* y) override {
    check_all(x, scale, shift, y);
    cpu_->channel_affine(op, rows, x, scale, shift, y);
  }

 private:
  template <typename... Pointers>
  void check_all(Pointers... pointers) {
    ++device_.operations;
    (device_.check(pointers), ...);
  }

  RemoteBackend& device_;
  const std::unique_ptr<Stream> cpu_ = device_.cpu_->make_stream();
};

inline std::unique_ptr<Stream> RemoteBackend::make_stream() {
  return std::make_unique<RemoteStream>(*this);
}

}  // namespace inferometer
