#include "serving/device_fault.h"

namespace inferometer {

std::optional<DeviceFault> device_fault_of(const std::exception_ptr& error) noexcept {
  if (!error) return std::nullopt;
  try {
    std::rethrow_exception(error);
  } catch (const DeviceError& device) {
    return device.fault();
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace inferometer
