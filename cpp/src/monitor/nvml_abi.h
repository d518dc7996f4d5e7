// The part of NVML's binary interface that is used here, declared anew: the library is loaded at
// run time, and nobody needs NVIDIA's header to build this. tests/cpp/nvml_abi_test.cc compares it
// with that header.
#pragma once

namespace inferometer::nvml {

struct DeviceRecord;
using Device = DeviceRecord*;

// Enumerations are as wide as C makes them.
// NOLINTBEGIN(performance-enum-size)

/// What every function returns. NVML has more of them; all are errors.
enum Return : int {
  kSuccess = 0,
  kUninitialized = 1,
  kNotSupported = 3,
  kNotFound = 6,
  kDriverNotLoaded = 9,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kGpuNotFound = 28,
};

enum ClockType : int { kSmClock = 1, kMemoryClock = 2 };
enum TemperatureSensor : int { kDie = 0 };

// NOLINTEND(performance-enum-size)

/// Percent.
struct Utilization {
  unsigned gpu;
  unsigned memory;
};

/// Bytes. In the first version `used` includes what the driver keeps for itself.
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct Memory2 {
  unsigned version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
inline constexpr unsigned kMemory2Version = sizeof(Memory2) | 2U << 24;

inline constexpr unsigned kUuidBytes = 96;

using InitFunction = Return();
using CountFunction = Return(unsigned*);
using HandleFunction = Return(unsigned index, Device*);
using UuidFunction = Return(Device, char*, unsigned length);
using UtilizationFunction = Return(Device, Utilization*);
using MemoryFunction = Return(Device, Memory*);
using Memory2Function = Return(Device, Memory2*);
using NumberFunction = Return(Device, unsigned*);
using LargeNumberFunction = Return(Device, unsigned long long*);
using ClockFunction = Return(Device, ClockType, unsigned*);
using TemperatureFunction = Return(Device, TemperatureSensor, unsigned*);

}  // namespace inferometer::nvml
