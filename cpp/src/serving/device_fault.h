// What of a failed run is a device's doing.
#pragma once

#include <exception>
#include <optional>

#include "inferometer/errors.h"

namespace inferometer {

/// None, if it is no DeviceError.
[[nodiscard]] std::optional<DeviceFault> device_fault_of(const std::exception_ptr& error) noexcept;

}  // namespace inferometer
