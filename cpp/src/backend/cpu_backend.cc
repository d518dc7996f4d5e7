#include "backend/cpu_backend.h"

#include <cstring>
#include <new>
#include <string>

#include "backend/cpu_isa.h"

namespace inferometer {
namespace {

constexpr std::align_val_t kAlignment{64};

/// Computes at once, on the thread that calls. Holds nothing that changes.
class CpuStream final : public Stream {
 public:
  explicit CpuStream(const CpuKernels& kernels) : kernels_(kernels) {}

  void synchronize() override {}
  void abandon() noexcept override {}
  void copy_in(std::byte* device, const std::byte* host, size_t bytes) override {
    copy(device, host, bytes);
  }
  void copy_out(std::byte* host, const std::byte* device, size_t bytes) override {
    copy(host, device, bytes);
  }
  void copy(std::byte* to, const std::byte* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }

  void conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
              const float* bias, const float* residual, float* y, std::byte* workspace) override {
    kernels_.conv2d(op, rows, x, weights, bias, residual, y, reinterpret_cast<float*>(workspace));
  }
  void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) override {
    kernels_.pool2d(op, rows, x, y);
  }
  void gemm(const Gemm& op, int64_t rows, const float* x, const std::byte* weights,
            const float* bias, float* y) override {
    kernels_.gemm(op, rows, x, reinterpret_cast<const float*>(weights), bias, y);
  }
  void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) override {
    kernels_.matmul(op, rows, a, b, y);
  }
  void add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b,
           float* y) override {
    kernels_.add(op, rows, a, b, y);
  }
  void relu(int64_t elements, const float* x, float* y) override { kernels_.relu(elements, x, y); }
  void softmax(const Softmax& op, int64_t rows, const float* x, float* y) override {
    kernels_.softmax(op, rows, x, y);
  }
  void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) override {
    kernels_.reduce_mean(op, rows, x, y);
  }
  void channel_affine(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                      const float* shift, float* y) override {
    kernels_.channel_affine(op, rows, x, scale, shift, y);
  }

 private:
  const CpuKernels& kernels_;
};

/// The kernels of one instruction set; holds nothing that changes. Thread-safe.
class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuIsa& isa)
      : name_("cpu (" + std::string(isa.description) + ")"), kernels_(*isa.kernels) {}

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return true; }

  [[nodiscard]] std::byte* allocate(size_t bytes) override {
    return static_cast<std::byte*>(::operator new(bytes == 0 ? 1 : bytes, kAlignment));
  }
  void deallocate(std::byte* data, size_t /*bytes*/) noexcept override {
    ::operator delete(data, kAlignment);
  }
  [[nodiscard]] std::byte* allocate_staging(size_t bytes) override { return allocate(bytes); }
  void deallocate_staging(std::byte* host, size_t bytes) noexcept override {
    deallocate(host, bytes);
  }
  [[nodiscard]] std::unique_ptr<Stream> make_stream() override {
    return std::make_unique<CpuStream>(kernels_);
  }
  void load(std::byte* device, const std::byte* host, size_t bytes) override {
    if (bytes > 0) std::memcpy(device, host, bytes);
  }
  [[nodiscard]] size_t gemm_weights_bytes(const Gemm& op) const override {
    return kernels_.gemm_weights_bytes(op);
  }
  void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) override {
    kernels_.load_gemm_weights(op, host, reinterpret_cast<float*>(device));
  }
  [[nodiscard]] size_t conv2d_workspace_bytes(const Conv2d& op, int64_t /*rows*/) const override {
    return kernels_.conv2d_workspace_bytes(op);
  }

 private:
  const std::string name_;
  const CpuKernels& kernels_;
};

}  // namespace

std::shared_ptr<Backend> make_cpu_backend(std::string_view isa) {
  return std::make_shared<CpuBackend>(select_cpu_isa(isa));
}

}  // namespace inferometer
