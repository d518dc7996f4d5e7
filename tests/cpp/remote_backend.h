// A device whose memory the host cannot reach, made of the CPU: what a GPU asks of the layers
// above.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "backend/cpu_backend.h"

namespace inferometer {

/// Forwards to a CPU backend, counts, and throws std::logic_error if an operand is not in memory
/// that it handed out. Single-owner.
class RemoteBackend final : public Backend {
 public:
  explicit RemoteBackend(bool host_memory = false) : host_memory_(host_memory) {}

  int allocations = 0;
  int copies_in = 0, copies_out = 0;
  int operations = 0;
  size_t live_bytes = 0;

  [[nodiscard]] std::string_view name() const noexcept override { return "remote"; }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return host_memory_; }
  [[nodiscard]] std::byte* allocate(size_t bytes) override {
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
  void copy_in(std::byte* device, const std::byte* host, size_t bytes) override {
    check(device);
    ++copies_in;
    cpu_->copy_in(device, host, bytes);
  }
  void copy_out(std::byte* host, const std::byte* device, size_t bytes) override {
    check(device);
    ++copies_out;
    cpu_->copy_out(host, device, bytes);
  }
  void copy(std::byte* to, const std::byte* from, size_t bytes) override {
    check_all(to, from);
    cpu_->copy(to, from, bytes);
  }
  void synchronize() override {}
  [[nodiscard]] size_t conv2d_workspace_bytes(const Conv2d& op, int64_t rows) const override {
    return cpu_->conv2d_workspace_bytes(op, rows);
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
  [[nodiscard]] size_t gemm_weights_bytes(const Gemm& op) const override {
    return cpu_->gemm_weights_bytes(op);
  }
  void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) override {
    check(device);
    ++copies_in;
    cpu_->load_gemm_weights(op, host, device);
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
    ++operations;
    (check(pointers), ...);
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

  const bool host_memory_;
  const std::shared_ptr<Backend> cpu_ = make_cpu_backend();
  std::map<const std::byte*, size_t> blocks_;
};

}  // namespace inferometer
