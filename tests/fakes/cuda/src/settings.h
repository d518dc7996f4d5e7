// What the environment says about the devices that are emulated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace inferometer::emulation {

/// Plain data.
struct Settings {
  bool driver = true;
  int devices = 1;
  size_t memory_bytes = size_t{1} << 30;  // of each device
  uint64_t seed = 1;
  std::string failure;  // "NAME:NTH:ERROR", or nothing
};

/// From INFEROMETER_EMULATED_DEVICES (a number, or "no driver"), _MEMORY (bytes), _SEED and
/// _FAILURE.
Settings settings_of_environment();

}  // namespace inferometer::emulation
