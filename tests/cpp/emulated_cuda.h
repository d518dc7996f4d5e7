// Emulated GPUs for tests of CUDA's part (tests/fakes/cuda).
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "backend/cuda/cuda_backend.h"
#include "backend/device_buffer.h"
#include "cuda_emulation.h"
#include "error_text.h"
#include "inferometer/errors.h"

namespace inferometer {

/// Two GPUs, as new for each test.
class EmulatedCuda : public testing::Test {
 protected:
  void SetUp() override {
    emulation::reset();
    emulation::set_driver(true);
    emulation::set_devices(2);
  }

  static std::shared_ptr<Backend> backend(int device = 0) {
    return cuda::make_backend(device, INFEROMETER_EMULATED_CUBLAS_FOLDER);
  }
  static float* floats_of(const DeviceBuffer& buffer) {
    return reinterpret_cast<float*>(buffer.data());
  }
  /// What the DeviceError says that `action` throws.
  static std::string said(const std::function<void()>& action) {
    return error_of<DeviceError>(action);
  }
  static DeviceFault fault_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const DeviceError& error) {
      return error.fault();
    }
    ADD_FAILURE() << "no DeviceError";
    return DeviceFault::kOther;
  }
  /// As much is allocated on the devices, pinned and made there as `before`.
  static void expect_no_leak(const emulation::Live& before, uint64_t call) {
    const emulation::Live after = emulation::live();
    EXPECT_EQ(after.allocations, before.allocations) << "call " << call;
    EXPECT_EQ(after.pinned_allocations, before.pinned_allocations) << "call " << call;
    EXPECT_EQ(after.streams, before.streams) << "call " << call;
    EXPECT_EQ(after.events, before.events) << "call " << call;
    EXPECT_EQ(after.cublas_handles, before.cublas_handles) << "call " << call;
  }
  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

}  // namespace inferometer
