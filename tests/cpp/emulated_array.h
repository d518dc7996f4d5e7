// What tests of the emulation of CUDA begin with, and device memory for them.
#pragma once

#include <cuda_emulation.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

// Ends a test that is about what AddressSanitizer sees.
#define NEEDS_ADDRESS_SANITIZER()          \
  if (!emulation::has_address_sanitizer()) \
  GTEST_SKIP() << "only AddressSanitizer sees this, and this is a build without"

namespace inferometer {

/// Begins and ends with the devices of the environment and nothing on them.
class EmulationTest : public testing::Test {
 protected:
  void SetUp() override { emulation::reset(); }
  void TearDown() override { emulation::reset(); }
};

/// 1, 2, 3, ...
inline std::vector<float> one_to(unsigned count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

/// Device memory with values. Single-owner.
template <typename T>
class Array {
 public:
  explicit Array(const std::vector<T>& values) : size_(values.size()) {
    EXPECT_EQ(cudaMalloc(&data_, bytes()), cudaSuccess);
    EXPECT_EQ(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] size_t bytes() const { return size_ * sizeof(T); }
  /// Waits for the default stream, and for streams that wait for that.
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> values(size_);
    EXPECT_EQ(cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

/// A stream that waits for no other. Single-owner.
class OwnStream {
 public:
  OwnStream() {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
  }
  ~OwnStream() { cudaStreamDestroy(stream_); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  [[nodiscard]] cudaStream_t get() const { return stream_; }
  void synchronize() const { EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess); }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace inferometer
