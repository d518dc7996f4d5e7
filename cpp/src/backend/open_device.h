// From a device's name to its backend.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backend/backend.h"
#include "inferometer/devices.h"

namespace inferometer {

/// The backend of "cpu" or "cuda:N". `cpu_isa` as in select_cpu_isa(). Throws ConfigError for any
/// other name, and DeviceError, with CUDA's name of the error, for a device that cannot be used.
/// Thread-safe.
[[nodiscard]] std::shared_ptr<Backend> open_device(std::string_view name, std::string_view cpu_isa,
                                                   const CudaFiles& files);

}  // namespace inferometer
