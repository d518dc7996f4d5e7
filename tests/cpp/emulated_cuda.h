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
  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

}  // namespace inferometer
