#include "serving/device_fault.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace inferometer {
namespace {

TEST(DeviceFaultTest, IsWhatTheDeviceSaid) {
  for (const DeviceFault fault : {DeviceFault::kUnavailable, DeviceFault::kOutOfMemory,
                                  DeviceFault::kLost, DeviceFault::kOther}) {
    EXPECT_EQ(device_fault_of(std::make_exception_ptr(DeviceError("broken", fault))), fault);
  }
}

TEST(DeviceFaultTest, IsNoneForOtherErrors) {
  EXPECT_EQ(device_fault_of(nullptr), std::nullopt);
  EXPECT_EQ(device_fault_of(std::make_exception_ptr(ModelError("bad"))), std::nullopt);
  EXPECT_EQ(device_fault_of(std::make_exception_ptr(std::bad_alloc())), std::nullopt);
  EXPECT_EQ(device_fault_of(std::make_exception_ptr(42)), std::nullopt);
}

}  // namespace
}  // namespace inferometer
