#include "backend/cuda/cuda_backend.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"

namespace inferometer::cuda {
namespace {

// The oldest GPU that there is code for (Cuda.cmake), here and in cuBLAS 13.
constexpr int kOldestMajor = 7;
constexpr int kOldestMinor = 5;
// Whole pages are pinned, which must be nobody else's: a page is pinned once.
constexpr size_t kPage = 4096;
constexpr std::align_val_t kStagingAlignment{kPage};

/// Memory of one device, and streams on it. Thread-safe.
class CudaBackend final : public Backend {
 public:
  CudaBackend(std::shared_ptr<Context> context, const CublasLibrary& cublas,
              const cudaDeviceProp& properties)
      : context_(std::move(context)),
        cublas_(cublas),
        stream_bytes_(CudaStream::workspace_bytes(properties.major)),
        name_("cuda:" + std::to_string(context_->device()) + " (" + properties.name + ")") {}

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] bool uses_host_memory() const noexcept override { return false; }
  [[nodiscard]] bool healthy() const noexcept override { return !context_->lost(); }

  [[nodiscard]] std::byte* allocate(size_t bytes) override {
    const Context::Use use = context_->enter();
    void* memory = nullptr;  // aligned to 256 bytes
    const std::string what = "allocating " + std::to_string(bytes) + " bytes";
    context_->check(cudaMalloc(&memory, bytes == 0 ? 1 : bytes), what.c_str());
    return static_cast<std::byte*>(memory);
  }
  void deallocate(std::byte* data, size_t /*bytes*/) noexcept override {
    // What belonged to a lost context is gone, and its address may be somebody else's by now.
    if (context_->try_enter()) context_->note(cudaFree(data));
  }

  // Not cudaMallocHost(): resetting the device would take such memory away from a thread that is
  // just writing to it. Registered memory only stops being pinned.
  [[nodiscard]] std::byte* allocate_staging(size_t bytes) override {
    const Context::Use use = context_->enter();
    const size_t size = (std::max<size_t>(bytes, 1) + kPage - 1) / kPage * kPage;
    auto* const host = static_cast<std::byte*>(::operator new(size, kStagingAlignment));
    try {
      context_->check(cudaHostRegister(host, size, cudaHostRegisterDefault), "pinning host memory");
    } catch (...) {
      ::operator delete(host, kStagingAlignment);
      throw;
    }
    return host;
  }
  void deallocate_staging(std::byte* host, size_t /*bytes*/) noexcept override {
    if (context_->try_enter()) context_->note(cudaHostUnregister(host));
    ::operator delete(host, kStagingAlignment);
  }

  [[nodiscard]] std::unique_ptr<Stream> make_stream() override {
    return std::make_unique<CudaStream>(context_, cublas_, stream_bytes_);
  }
  [[nodiscard]] size_t stream_bytes() const noexcept override { return stream_bytes_; }

  void load(std::byte* device, const std::byte* host, size_t bytes) override {
    if (bytes == 0) return;
    const Context::Use use = context_->enter();
    constexpr const char* kWhat = "copying a constant to the device";
    context_->check(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), kWhat);
    // Pageable memory has only been taken over by then, and our streams do not wait for the default
    // stream (CUDA Runtime API, "API synchronization behavior").
    context_->check(cudaStreamSynchronize(nullptr), kWhat);
  }
  [[nodiscard]] size_t gemm_weights_bytes(const Gemm& op) const override {
    return static_cast<size_t>(op.k * op.n) * sizeof(float);
  }
  void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) override {
    load(device, reinterpret_cast<const std::byte*>(host), gemm_weights_bytes(op));
  }
  [[nodiscard]] size_t conv2d_workspace_bytes(const Conv2d& op, int64_t rows) const override {
    return column_bytes(op, rows);
  }

 private:
  const std::shared_ptr<Context> context_;
  const CublasLibrary& cublas_;
  const size_t stream_bytes_;
  const std::string name_;
};

/// Else a model would load, and its first batch fail.
void require_code_for(const cudaDeviceProp& properties) {
  const int major = properties.major;
  const int minor = properties.minor;
  if (major > kOldestMajor || (major == kOldestMajor && minor >= kOldestMinor)) return;
  const std::string what = std::string(properties.name) + ": got compute capability " +
                           std::to_string(major) + "." + std::to_string(minor) + ", want " +
                           std::to_string(kOldestMajor) + "." + std::to_string(kOldestMinor) +
                           " or later";
  fail(cudaErrorNoKernelImageForDevice, what.c_str());
}

}  // namespace

std::shared_ptr<Backend> make_backend(int device, const std::string& cublas) {
  Context::refuse_in_child();
  int count = 0;
  check(cudaGetDeviceCount(&count), "looking for devices");
  if (device < 0 || device >= count) {
    fail(cudaErrorInvalidDevice, ("got cuda:" + std::to_string(device) + ", there are " +
                                  std::to_string(count) + " devices")
                                     .c_str());
  }
  const CublasLibrary& library = CublasLibrary::open(cublas);
  std::shared_ptr<Context> context = Context::of(device);
  const Context::Use use = context->enter();
  cudaDeviceProp properties{};
  context->check(cudaGetDeviceProperties(&properties, device), "asking for its properties");
  require_code_for(properties);
  return std::make_shared<CudaBackend>(std::move(context), library, properties);
}

}  // namespace inferometer::cuda
