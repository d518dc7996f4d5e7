// Opens the shared object with CUDA's part.
#pragma once

#include <string>

#include "backend/cuda_module.h"

namespace inferometer {

/// The module in `file`, open for the life of the process; the same for the same file. Throws
/// DeviceError: there is none (an empty name), or it cannot be used. Thread-safe.
[[nodiscard]] const CudaModule& cuda_module(const std::string& file);

}  // namespace inferometer
