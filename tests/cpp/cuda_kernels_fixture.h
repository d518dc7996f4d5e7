// Device memory and comparisons for the tests of CUDA kernels, which run on tests/fakes/cuda.
#pragma once

#include <cuda_emulation.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace inferometer {

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInf = std::numeric_limits<float>::infinity();

/// Floats on the device, one element behind where memory is aligned: kernels may rely on the
/// alignment of an element only. AddressSanitizer sees what is read or written beyond them.
/// Single-owner.
class DeviceFloats {
 public:
  explicit DeviceFloats(std::vector<float> host) : host_(std::move(host)) {
    if (host_.empty()) return;
    EXPECT_EQ(cudaMalloc(&data_, bytes() + sizeof(float)), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(data_ + 1, host_.data(), bytes(), cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  }
  ~DeviceFloats() { cudaFree(data_); }
  DeviceFloats(const DeviceFloats&) = delete;
  DeviceFloats& operator=(const DeviceFloats&) = delete;

  /// Null if there are none.
  [[nodiscard]] float* device() const { return host_.empty() ? nullptr : data_ + 1; }
  /// What they were in the beginning.
  [[nodiscard]] const std::vector<float>& host() const { return host_; }
  /// What they are now.
  [[nodiscard]] std::vector<float> read() const {
    std::vector<float> values(host_.size());
    if (host_.empty()) return values;
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess) << emulation::last_failure();
    EXPECT_EQ(cudaMemcpy(values.data(), data_ + 1, bytes(), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }

 private:
  [[nodiscard]] size_t bytes() const { return host_.size() * sizeof(float); }

  const std::vector<float> host_;
  float* data_ = nullptr;
};

/// An emulated device with nothing on it, and a stream.
class CudaKernelsTest : public testing::Test {
 protected:
  void SetUp() override {
    emulation::reset();
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    EXPECT_EQ(cudaStreamDestroy(stream_), cudaSuccess);
    EXPECT_EQ(emulation::live().allocations, 0U);
  }

  DeviceFloats random(int64_t count) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = uniform(generator_);
    return DeviceFloats(std::move(values));
  }
  /// One of low, low + 1, ... high.
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(generator_);
  }
  /// Filled with what must not survive.
  static DeviceFloats output(int64_t count) {
    return DeviceFloats(std::vector<float>(static_cast<size_t>(count), -777.0F));
  }

  /// Equal up to 1e-5 * (|expected| + scale); infinities and NaN at the same places.
  static void expect_near(const std::vector<float>& expected, const DeviceFloats& got,
                          double scale = 1) {
    const std::vector<float> values = got.read();
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(expected[i])) {
        ASSERT_TRUE(std::isnan(values[i])) << "element " << i << ": got " << values[i];
      } else if (std::isinf(expected[i])) {
        ASSERT_EQ(values[i], expected[i]) << "element " << i;
      } else {
        ASSERT_LE(std::abs(values[i] - expected[i]), 1e-5 * (std::abs(expected[i]) + scale))
            << "element " << i << ": got " << values[i] << ", want " << expected[i];
      }
    }
  }

  cudaStream_t stream_ = nullptr;
  std::mt19937 generator_{20};
};

}  // namespace inferometer
