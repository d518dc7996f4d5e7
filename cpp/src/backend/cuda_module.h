// What the shared object with CUDA's part offers to the rest of the library, which opens it when
// somebody asks for a GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace inferometer {

/// One GPU, as CUDA counts them.
struct CudaDevice {
  int index = 0;
  std::string name;
  int64_t memory_bytes = 0;
  int compute_major = 0, compute_minor = 0;
};

/// Thread-safe.
class CudaModule {
 public:
  virtual ~CudaModule() = default;
  /// Throws DeviceError where CUDA finds no driver or no device, with CUDA's name of the error.
  [[nodiscard]] virtual std::vector<CudaDevice> devices() const = 0;
  /// `cublas`: the folder of libcublas.so.13; empty: the dynamic linker knows. Throws DeviceError.
  [[nodiscard]] virtual std::shared_ptr<Backend> make_backend(int device,
                                                              const std::string& cublas) const = 0;
};

/// The only symbol that it exports. Null unless `version` is its own: both sides share C++ classes.
using CudaModuleEntry = CudaModule*(const char* version);
inline constexpr const char* kCudaModuleEntry = "inferometer_cuda_module";

}  // namespace inferometer
