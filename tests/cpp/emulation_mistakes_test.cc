// Programs with a mistake each that the emulation of CUDA makes visible, beside what they should
// have been: if the emulation no longer sees one, tests of what runs on it say nothing about it
// either.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "backend/cuda/cublas_abi.h"
#include "backend/cuda/cuda_launch.h"
#include "emulated_array.h"

namespace inferometer {
namespace {

/// With AddressSanitizer, which ends the process where a mistake is.
class EmulationMistakesTest : public EmulationTest {
 protected:
  void SetUp() override {
    EmulationTest::SetUp();
    GTEST_FLAG_SET(death_test_style, "fast");
  }
};

#define NEEDS_ADDRESS_SANITIZER()          \
  if (!emulation::has_address_sanitizer()) \
  GTEST_SKIP() << "only AddressSanitizer sees this, and this is a build without"

constexpr unsigned kThreads = 64;

template <bool kWaits>
__global__ void reverse(float* values) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = values[threadIdx.x];
  if (kWaits) __syncthreads();
  values[threadIdx.x] = shared[kThreads - 1 - threadIdx.x];
}

std::vector<float> one_to(unsigned count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

TEST_F(EmulationMistakesTest, NoBarrier) {
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

TEST_F(EmulationMistakesTest, NoBarrierBeforeMemoryIsUsedAgain) {
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

TEST_F(EmulationMistakesTest, IndexOneTooFar) {
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
TEST_F(EmulationMistakesTest, IndexOneTooFarInSharedMemory) {
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

TEST_F(EmulationMistakesTest, IndexOneTooFarOnTheStack) {
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

TEST_F(EmulationMistakesTest, HostReadsDeviceMemory) {
  NEEDS_ADDRESS_SANITIZER();
  const Array<float> data({1.0F});
  EXPECT_EQ(data.values()[0], 1.0F);
  volatile float value = 0.0F;
  EXPECT_DEATH(value = *data.data(), "use-after-poison");
  EXPECT_DEATH(*data.data() = value, "use-after-poison");
}

TEST_F(EmulationMistakesTest, DeviceReadsMemoryOfAnother) {
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

TEST_F(EmulationMistakesTest, ResultReadTooEarly) {
  const OwnStream stream;
  const Array<float> data({1.0F});
  float value = 0.0F;
  const auto copy = [&](float* to) {
    ASSERT_EQ(cudaMemcpyAsync(to, data.data(), 4, cudaMemcpyDeviceToHost, stream.get()),
              cudaSuccess);
  };
  copy(&value);
  EXPECT_EQ(value, 0.0F);
  stream.synchronize();
  EXPECT_EQ(value, 1.0F);
  if (!emulation::has_address_sanitizer()) return;
  EXPECT_DEATH(
      {
        auto gone = std::make_unique<float>(0.0F);
        copy(gone.get());
        gone.reset();
        stream.synchronize();
      },
      "heap-use-after-free");
}

TEST_F(EmulationMistakesTest, StagingMemoryUsedAgainTooEarly) {
  const OwnStream stream;
  const Array<float> first({0.0F});
  const Array<float> second({0.0F});
  float staging = 0.0F;
  const auto copy = [&](const Array<float>& to, float value) {
    staging = value;
    ASSERT_EQ(cudaMemcpyAsync(to.data(), &staging, 4, cudaMemcpyHostToDevice, stream.get()),
              cudaSuccess);
  };
  copy(first, 1.0F);
  stream.synchronize();
  copy(second, 2.0F);
  stream.synchronize();
  EXPECT_EQ(first.values(), std::vector<float>{1.0F});
  EXPECT_EQ(second.values(), std::vector<float>{2.0F});
  copy(first, 3.0F);
  copy(second, 4.0F);
  stream.synchronize();
  EXPECT_EQ(first.values(), std::vector<float>{4.0F});
}

TEST_F(EmulationMistakesTest, MemoryFreedWhileInUse) {
  NEEDS_ADDRESS_SANITIZER();
  const OwnStream stream;
  const Array<float> from(one_to(4));
  const auto program = [&](bool waits) {
    float* to = nullptr;
    ASSERT_EQ(cudaMalloc(&to, 16), cudaSuccess);
    cuda::launch(guarded_copy, 1, 4, stream.get(), from.data(), to, 4U);
    if (waits) stream.synchronize();
    ASSERT_EQ(cudaFree(to), cudaSuccess);
    stream.synchronize();
  };
  program(true);
  EXPECT_DEATH(program(false), "heap-use-after-free(.|\n)*guarded_copy(.|\n)*freed by");
}

TEST_F(EmulationMistakesTest, CopyOfMemoryFreedWhileInUse) {
  NEEDS_ADDRESS_SANITIZER();
  const OwnStream stream;
  const Array<float> device({0.0F});
  const auto program = [&](bool waits) {
    float* pinned = nullptr;
    ASSERT_EQ(cudaMallocHost(&pinned, 4), cudaSuccess);
    *pinned = 1.0F;
    ASSERT_EQ(cudaMemcpyAsync(device.data(), pinned, 4, cudaMemcpyHostToDevice, stream.get()),
              cudaSuccess);
    if (waits) stream.synchronize();
    ASSERT_EQ(cudaFreeHost(pinned), cudaSuccess);
    stream.synchronize();
  };
  program(true);
  EXPECT_EQ(device.values(), std::vector<float>{1.0F});
  EXPECT_DEATH(program(false), "heap-use-after-free");
}

TEST_F(EmulationMistakesTest, ProductOfMemoryThatIsTooSmall) {
  NEEDS_ADDRESS_SANITIZER();
  void* const library = dlopen(INFEROMETER_EMULATED_CUBLAS, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr);
  const auto create = reinterpret_cast<cublas::CreateFunction*>(dlsym(library, "cublasCreate_v2"));
  const auto sgemm = reinterpret_cast<cublas::SgemmFunction*>(dlsym(library, "cublasSgemm_v2"));
  cublas::Handle handle = nullptr;
  ASSERT_EQ(create(&handle), cublas::kSuccess);
  const Array<float> data(one_to(4));
  const Array<float> result(std::vector<float>(4, 0.0F));
  const auto program = [&](int columns) {
    const float one = 1.0F;
    const float zero = 0.0F;
    sgemm(handle, cublas::kAsIs, cublas::kAsIs, 2, columns, 2, &one, data.data(), 2, data.data(), 2,
          &zero, result.data(), 2);
    return cudaDeviceSynchronize();
  };
  EXPECT_EQ(program(2), cudaSuccess);
  EXPECT_EQ(result.values(), (std::vector{7.0F, 10.0F, 15.0F, 22.0F}));
  EXPECT_DEATH(program(3), "heap-buffer-overflow");
}

TEST_F(EmulationMistakesTest, StreamsThatShouldHaveWaited) {
  int right = 0;
  int wrong = 0;
  constexpr int kSeeds = 30;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    emulation::set_seed(seed);
    for (const bool waits : {false, true}) {
      const Array<float> from({0.0F});
      const Array<float> to({0.0F});
      const OwnStream one;
      const OwnStream other;
      const float value = 1.0F;
      cudaEvent_t event = nullptr;
      ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
      ASSERT_EQ(cudaMemcpyAsync(from.data(), &value, 4, cudaMemcpyHostToDevice, one.get()),
                cudaSuccess);
      ASSERT_EQ(cudaEventRecord(event, one.get()), cudaSuccess);
      if (waits) cudaStreamWaitEvent(other.get(), event);
      cuda::launch(guarded_copy, 1, 1, other.get(), from.data(), to.data(), 1U);
      other.synchronize();
      const bool is_right = to.values() == std::vector<float>{1.0F};
      if (waits) right += is_right ? 1 : 0;
      if (!waits) wrong += is_right ? 0 : 1;
      one.synchronize();
      ASSERT_EQ(cudaEventDestroy(event), cudaSuccess);
    }
  }
  EXPECT_EQ(right, kSeeds);
  EXPECT_GT(wrong, kSeeds / 4);
}

template <bool kReturnsEarly>
__global__ void wait_inside_condition(float* values, unsigned count) {
  if (kReturnsEarly && threadIdx.x >= count) return;
  __syncthreads();
  if (threadIdx.x < count) values[threadIdx.x] += 1.0F;
}

TEST_F(EmulationMistakesTest, DivergentBarrier) {
  const Array<float> values(one_to(40));
  cuda::launch(wait_inside_condition<false>, 1, kThreads, nullptr, values.data(), 40U);
  EXPECT_EQ(values.values()[0], 2.0F);
  cuda::launch(wait_inside_condition<true>, 1, kThreads, nullptr, values.data(), 40U);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_NE(emulation::last_failure().find("divergent"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
