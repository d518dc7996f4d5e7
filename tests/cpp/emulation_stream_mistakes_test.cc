// Programs that do not wait for what they should, and more such mistakes on the side of the host,
// beside what they should have been (see emulation_kernel_mistakes_test.cc).
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "backend/cuda/cuda_launch.h"
#include "emulated_cublas.h"

namespace inferometer {
namespace {

using EmulationStreamMistakesTest = EmulationTest;

__global__ void copy_in_time(const float* from, float* to, unsigned count) {
  if (threadIdx.x < count) to[threadIdx.x] = from[threadIdx.x];
}

TEST_F(EmulationStreamMistakesTest, HostReadsDeviceMemory) {
  NEEDS_ADDRESS_SANITIZER();
  const Array<float> data({1.0F});
  EXPECT_EQ(data.values()[0], 1.0F);
  volatile float value = 0.0F;
  EXPECT_DEATH(value = *data.data(), "use-after-poison");
  EXPECT_DEATH(*data.data() = value, "use-after-poison");
}

TEST_F(EmulationStreamMistakesTest, ResultReadTooEarly) {
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

TEST_F(EmulationStreamMistakesTest, StagingMemoryUsedAgainTooEarly) {
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

TEST_F(EmulationStreamMistakesTest, AnotherStreamIsAheadOfACopyFromPageableMemory) {
  const Array<float> from({0.0F});
  const Array<float> to({0.0F});
  const auto program = [&](float value, bool waits) {
    const OwnStream stream;
    auto host = std::make_unique<float>(value);
    ASSERT_EQ(cudaMemcpy(from.data(), host.get(), 4, cudaMemcpyHostToDevice), cudaSuccess);
    host.reset();  // was taken over
    if (waits) {
      ASSERT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
    }
    cuda::launch(copy_in_time, 1, 1, stream.get(), from.data(), to.data(), 1U);
    stream.synchronize();
  };
  int late = 0;
  for (int i = 1; i <= 20; ++i) {
    const auto value = static_cast<float>(i);
    program(value, true);
    EXPECT_EQ(to.values(), std::vector<float>{value});
    program(-value, false);
    if (to.values()[0] == value) ++late;
    EXPECT_EQ(from.values(), std::vector<float>{-value});
  }
  EXPECT_GT(late, 0);
  EXPECT_LT(late, 20);
}

TEST_F(EmulationStreamMistakesTest, MemoryFreedWhileInUse) {
  NEEDS_ADDRESS_SANITIZER();
  const OwnStream stream;
  const Array<float> from(one_to(4));
  const auto program = [&](bool waits) {
    float* to = nullptr;
    ASSERT_EQ(cudaMalloc(&to, 16), cudaSuccess);
    cuda::launch(copy_in_time, 1, 4, stream.get(), from.data(), to, 4U);
    if (waits) stream.synchronize();
    ASSERT_EQ(cudaFree(to), cudaSuccess);
    stream.synchronize();
  };
  program(true);
  EXPECT_DEATH(program(false), "heap-use-after-free(.|\n)*copy_in_time(.|\n)*freed by");
}

TEST_F(EmulationStreamMistakesTest, CopyOfMemoryFreedWhileInUse) {
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

TEST_F(EmulationStreamMistakesTest, ProductOfMemoryThatIsTooSmall) {
  NEEDS_ADDRESS_SANITIZER();
  auto* const create = cublas_function<cublas::CreateFunction>("cublasCreate_v2");
  auto* const sgemm = cublas_function<cublas::SgemmFunction>("cublasSgemm_v2");
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

TEST_F(EmulationStreamMistakesTest, StreamsThatShouldHaveWaited) {
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
      cuda::launch(copy_in_time, 1, 1, other.get(), from.data(), to.data(), 1U);
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

}  // namespace
}  // namespace inferometer
