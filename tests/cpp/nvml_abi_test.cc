// Our declarations of NVML beside NVIDIA's.
#include "monitor/nvml_abi.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>

#if INFEROMETER_HAS_NVML_H
#include <nvml.h>

namespace inferometer::nvml {
namespace {

template <typename Ours, typename Theirs>
constexpr bool kSameSize = sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs);

TEST(NvmlAbiTest, Structures) {
  static_assert(kSameSize<Utilization, nvmlUtilization_t>);
  static_assert(offsetof(Utilization, gpu) == offsetof(nvmlUtilization_t, gpu));
  static_assert(kSameSize<Memory, nvmlMemory_t>);
  static_assert(offsetof(Memory, total) == offsetof(nvmlMemory_t, total));
  static_assert(offsetof(Memory, used) == offsetof(nvmlMemory_t, used));
  static_assert(kSameSize<Memory2, nvmlMemory_v2_t>);
  static_assert(offsetof(Memory2, version) == offsetof(nvmlMemory_v2_t, version));
  static_assert(offsetof(Memory2, total) == offsetof(nvmlMemory_v2_t, total));
  static_assert(offsetof(Memory2, reserved) == offsetof(nvmlMemory_v2_t, reserved));
  static_assert(offsetof(Memory2, free) == offsetof(nvmlMemory_v2_t, free));
  static_assert(offsetof(Memory2, used) == offsetof(nvmlMemory_v2_t, used));
  static_assert(kSameSize<Device, nvmlDevice_t>);
  static_assert(kSameSize<Return, nvmlReturn_t>);
  static_assert(kSameSize<ClockType, nvmlClockType_t>);
  static_assert(kSameSize<TemperatureSensor, nvmlTemperatureSensors_t>);
}

TEST(NvmlAbiTest, Constants) {
  EXPECT_EQ(kMemory2Version, nvmlMemory_v2);
  EXPECT_EQ(kUuidBytes, NVML_DEVICE_UUID_V2_BUFFER_SIZE);
  EXPECT_EQ(int{kSuccess}, int{NVML_SUCCESS});
  EXPECT_EQ(int{kUninitialized}, int{NVML_ERROR_UNINITIALIZED});
  EXPECT_EQ(int{kNotSupported}, int{NVML_ERROR_NOT_SUPPORTED});
  EXPECT_EQ(int{kNotFound}, int{NVML_ERROR_NOT_FOUND});
  EXPECT_EQ(int{kDriverNotLoaded}, int{NVML_ERROR_DRIVER_NOT_LOADED});
  EXPECT_EQ(int{kFunctionNotFound}, int{NVML_ERROR_FUNCTION_NOT_FOUND});
  EXPECT_EQ(int{kGpuIsLost}, int{NVML_ERROR_GPU_IS_LOST});
  EXPECT_EQ(int{kResetRequired}, int{NVML_ERROR_RESET_REQUIRED});
  EXPECT_EQ(int{kGpuNotFound}, int{NVML_ERROR_GPU_NOT_FOUND});
  EXPECT_EQ(int{kSmClock}, int{NVML_CLOCK_SM});
  EXPECT_EQ(int{kMemoryClock}, int{NVML_CLOCK_MEM});
  EXPECT_EQ(int{kDie}, int{NVML_TEMPERATURE_GPU});
}

// The names that nvml.h maps to others are looked up as what it maps them to.
#define TEXT_OF(name) #name
#define EXPANDED_TEXT_OF(name) TEXT_OF(name)
TEST(NvmlAbiTest, VersionedNames) {
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlInit), "nvmlInit_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlDeviceGetCount), "nvmlDeviceGetCount_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlDeviceGetHandleByIndex), "nvmlDeviceGetHandleByIndex_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlShutdown), "nvmlShutdown");
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlDeviceGetUUID), "nvmlDeviceGetUUID");
  EXPECT_STREQ(EXPANDED_TEXT_OF(nvmlDeviceGetMemoryInfo), "nvmlDeviceGetMemoryInfo");
}

}  // namespace
}  // namespace inferometer::nvml

#else
TEST(NvmlAbiTest, Structures) {
  GTEST_SKIP() << "no nvml.h (PyPI: nvidia-nvml-dev) when configured";
}
#endif
