// Kernels with a mistake each that the emulation of CUDA makes visible, beside what they should
// have been: if the emulation no longer sees one, tests of what runs on it say nothing about it
// either.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "backend/cuda/cuda_launch.h"
#include "emulated_array.h"

namespace inferometer {
namespace {

using EmulationKernelMistakesTest = EmulationTest;

constexpr unsigned kThreads = 64;

template <bool kWaits>
__global__ void reverse(float* values) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = values[threadIdx.x];
  if (kWaits) __syncthreads();
  values[threadIdx.x] = shared[kThreads - 1 - threadIdx.x];
}

TEST_F(EmulationKernelMistakesTest, NoBarrier) {
  const std::vector<float> values = one_to(kThreads);
  const std::vector<float> reversed(values.rbegin(), values.rend());
  for (uint64_t seed = 0; seed < 10; ++seed) {
    emulation::set_seed(seed);
    const Array<float> right(values);
    cuda::launch(reverse<true>, 1, kThreads, nullptr, right.data());
    EXPECT_EQ(right.values(), reversed);
    const Array<float> wrong(values);
    cuda::launch(reverse<false>, 1, kThreads, nullptr, wrong.data());
    EXPECT_NE(wrong.values(), reversed);
  }
}

template <bool kWaits>
__global__ void shift_twice(float* values) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  const float right = shared[(threadIdx.x + 1) % kThreads];
  if (kWaits) __syncthreads();
  shared[threadIdx.x] = right;
  __syncthreads();
  values[threadIdx.x] = shared[(threadIdx.x + 1) % kThreads];
}

TEST_F(EmulationKernelMistakesTest, NoBarrierBeforeMemoryIsUsedAgain) {
  std::vector<float> shifted = one_to(kThreads);
  std::rotate(shifted.begin(), shifted.begin() + 2, shifted.end());
  for (uint64_t seed = 0; seed < 10; ++seed) {
    emulation::set_seed(seed);
    const Array<float> right(one_to(kThreads));
    cuda::launch(shift_twice<true>, 1, kThreads, nullptr, right.data());
    EXPECT_EQ(right.values(), shifted);
    const Array<float> wrong(one_to(kThreads));
    cuda::launch(shift_twice<false>, 1, kThreads, nullptr, wrong.data());
    EXPECT_NE(wrong.values(), shifted);
  }
}

__global__ void guarded_copy(const float* from, float* to, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) to[i] = from[i];
}
__global__ void copy_one_too_many(const float* from, float* to, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= count) to[i] = from[i];
}

TEST_F(EmulationKernelMistakesTest, IndexOneTooFar) {
  NEEDS_ADDRESS_SANITIZER();
  const Array<float> from(one_to(100));
  const Array<float> to(std::vector<float>(100, 0.0F));
  cuda::launch(guarded_copy, 2, 64, nullptr, from.data(), to.data(), 100U);
  EXPECT_EQ(to.values(), one_to(100));
  EXPECT_DEATH(
      {
        cuda::launch(copy_one_too_many, 2, 64, nullptr, from.data(), to.data(), 100U);
        cudaDeviceSynchronize();
      },
      "heap-buffer-overflow(.|\n)*copy_one_too_many");
}

__global__ void write_shared(float* to, unsigned index) {
  __shared__ float shared[kThreads];
  shared[index] = 1.0F;
  __syncthreads();
  to[0] = shared[index];
}

// Of arrays whose size is in the code UndefinedBehaviorSanitizer says so first, where it is.
TEST_F(EmulationKernelMistakesTest, IndexOneTooFarInSharedMemory) {
  NEEDS_ADDRESS_SANITIZER();
  const Array<float> to({0.0F});
  cuda::launch(write_shared, 1, 1, nullptr, to.data(), kThreads - 1);
  EXPECT_EQ(to.values(), std::vector<float>{1.0F});
  EXPECT_DEATH(
      {
        cuda::launch(write_shared, 1, 1, nullptr, to.data(), kThreads);
        cudaDeviceSynchronize();
      },
      "out of bounds|global-buffer-overflow");
}

__global__ void write_local(float* to, unsigned index) {
  float values[4] = {};
  __syncthreads();
  values[index] = 1.0F;
  to[0] = values[index];
}

TEST_F(EmulationKernelMistakesTest, IndexOneTooFarOnTheStack) {
  NEEDS_ADDRESS_SANITIZER();
  const Array<float> to({0.0F});
  cuda::launch(write_local, 1, 2, nullptr, to.data(), 3U);
  EXPECT_EQ(to.values(), std::vector<float>{1.0F});
  EXPECT_DEATH(
      {
        cuda::launch(write_local, 1, 2, nullptr, to.data(), 4U);
        cudaDeviceSynchronize();
      },
      "out of bounds|stack-buffer-overflow");
}

TEST_F(EmulationKernelMistakesTest, DeviceReadsMemoryOfAnother) {
  NEEDS_ADDRESS_SANITIZER();
  emulation::set_devices(2);
  const Array<float> to({0.0F});
  const Array<float> near(one_to(1));
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  const Array<float> far(one_to(1));
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  cuda::launch(guarded_copy, 1, 1, nullptr, near.data(), to.data(), 1U);
  EXPECT_EQ(to.values(), std::vector<float>{1.0F});
  EXPECT_DEATH(
      {
        cuda::launch(guarded_copy, 1, 1, nullptr, far.data(), to.data(), 1U);
        cudaDeviceSynchronize();
      },
      "use-after-poison");
}

template <bool kReturnsEarly>
__global__ void wait_inside_condition(float* values, unsigned count) {
  if (kReturnsEarly && threadIdx.x >= count) return;
  __syncthreads();
  if (threadIdx.x < count) values[threadIdx.x] += 1.0F;
}

TEST_F(EmulationKernelMistakesTest, DivergentBarrier) {
  const Array<float> values(one_to(40));
  cuda::launch(wait_inside_condition<false>, 1, kThreads, nullptr, values.data(), 40U);
  EXPECT_EQ(values.values()[0], 2.0F);
  cuda::launch(wait_inside_condition<true>, 1, kThreads, nullptr, values.data(), 40U);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_NE(emulation::last_failure().find("divergent"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
