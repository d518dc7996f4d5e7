#include "backend/cuda_module.h"

#include <cuda_runtime.h>

#include <cstring>

#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/cuda_error.h"

namespace inferometer {
namespace {

/// Holds nothing. Thread-safe.
class Module final : public CudaModule {
 public:
  [[nodiscard]] std::vector<CudaDevice> devices() const override {
    int count = 0;
    cuda::check(cudaGetDeviceCount(&count), "looking for devices");
    if (count == 0) cuda::fail(cudaErrorNoDevice, "looking for devices");
    std::vector<CudaDevice> found;
    for (int index = 0; index < count; ++index) {
      cudaDeviceProp properties{};
      cuda::check(cudaGetDeviceProperties(&properties, index), "asking for its properties");
      found.push_back({.index = index,
                       .name = properties.name,
                       .memory_bytes = static_cast<int64_t>(properties.totalGlobalMem),
                       .compute_major = properties.major,
                       .compute_minor = properties.minor});
    }
    return found;
  }
  [[nodiscard]] std::shared_ptr<Backend> make_backend(int device,
                                                      const std::string& cublas) const override {
    return cuda::make_backend(device, cublas);
  }
};

}  // namespace
}  // namespace inferometer

extern "C" __attribute__((visibility("default"))) inferometer::CudaModule* inferometer_cuda_module(
    const char* version) {
  static inferometer::Module module;
  return std::strcmp(version, INFEROMETER_VERSION) == 0 ? &module : nullptr;
}
