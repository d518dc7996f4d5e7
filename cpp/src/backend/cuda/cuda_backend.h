// An NVIDIA GPU as a device: CUDA kernels and cuBLAS.
#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace inferometer::cuda {

/// A backend on this device. `cublas`: as CublasLibrary::open() takes it. Throws DeviceError.
[[nodiscard]] std::shared_ptr<Backend> make_backend(int device, const std::string& cublas);

}  // namespace inferometer::cuda
