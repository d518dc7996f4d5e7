// Streams and events of the emulation of CUDA: nothing runs before somebody waits for it.
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "backend/cuda/cuda_launch.h"
#include "emulated_array.h"

namespace inferometer {
namespace {

using EmulationStreamsTest = EmulationTest;

__global__ void append(int* list, int value) {
  const int length = list[0];
  list[length + 1] = value;
  list[0] = length + 1;
}

/// What append() did, in the order in which it was done.
std::vector<int> appended(const Array<int>& list) {
  const std::vector<int> values = list.values();
  return {values.begin() + 1, values.begin() + 1 + values[0]};
}
std::vector<int> empty_list() { return std::vector<int>(100, 0); }

TEST_F(EmulationStreamsTest, NothingRunsBeforeSomebodyWaits) {
  const Array<int> list(empty_list());
  const OwnStream stream;
  cuda::launch(append, 1, 1, stream.get(), list.data(), 7);
  EXPECT_EQ(emulation::live().queued_operations, 1U);
  stream.synchronize();
  EXPECT_EQ(appended(list), std::vector<int>{7});
  EXPECT_EQ(emulation::live().queued_operations, 0U);
}

TEST_F(EmulationStreamsTest, AStreamKeepsItsOrderAndNoOther) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    emulation::set_seed(seed);
    const Array<int> list(empty_list());
    const OwnStream one;
    const OwnStream other;
    for (const int value : {1, 2}) cuda::launch(append, 1, 1, one.get(), list.data(), value);
    for (const int value : {-1, -2}) cuda::launch(append, 1, 1, other.get(), list.data(), value);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    const std::vector<int> order = appended(list);
    std::vector<int> of_one;
    std::vector<int> of_other;
    for (const int value : order) (value > 0 ? of_one : of_other).push_back(value);
    EXPECT_EQ(of_one, (std::vector{1, 2}));
    EXPECT_EQ(of_other, (std::vector{-1, -2}));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
}

TEST_F(EmulationStreamsTest, WaitingForOneStreamNeedNotRunAnother) {
  std::set<size_t> left;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    emulation::set_seed(seed);
    const Array<int> list(empty_list());
    const OwnStream one;
    const OwnStream other;
    cuda::launch(append, 1, 1, one.get(), list.data(), 1);
    cuda::launch(append, 1, 1, other.get(), list.data(), 2);
    one.synchronize();
    left.insert(emulation::live().queued_operations);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  EXPECT_EQ(left, (std::set<size_t>{0, 1}));
}

TEST_F(EmulationStreamsTest, AStreamWaitsForAnEvent) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    emulation::set_seed(seed);
    const Array<int> list(empty_list());
    const OwnStream one;
    const OwnStream other;
    cudaEvent_t event = nullptr;
    ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    // An event that was never recorded holds nobody up.
    ASSERT_EQ(cudaStreamWaitEvent(other.get(), event), cudaSuccess);
    cuda::launch(append, 1, 1, one.get(), list.data(), 1);
    ASSERT_EQ(cudaEventRecord(event, one.get()), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(other.get(), event), cudaSuccess);
    ASSERT_EQ(cudaEventDestroy(event), cudaSuccess);
    cuda::launch(append, 1, 1, other.get(), list.data(), 2);
    other.synchronize();
    EXPECT_EQ(appended(list), (std::vector{1, 2}));
  }
}

TEST_F(EmulationStreamsTest, TheDefaultStreamAndItsFollowersWaitForEachOther) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    emulation::set_seed(seed);
    const Array<int> list(empty_list());
    cudaStream_t follower = nullptr;
    ASSERT_EQ(cudaStreamCreate(&follower), cudaSuccess);
    cuda::launch(append, 1, 1, follower, list.data(), 1);
    cuda::launch(append, 1, 1, nullptr, list.data(), 2);
    cuda::launch(append, 1, 1, follower, list.data(), 3);
    ASSERT_EQ(cudaStreamDestroy(follower), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(appended(list), (std::vector{1, 2, 3}));
  }
}

TEST_F(EmulationStreamsTest, QueriesComeToAnEnd) {
  const Array<int> list(empty_list());
  const OwnStream stream;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream.get()), cudaSuccess);
  for (const int value : {1, 2, 3}) cuda::launch(append, 1, 1, stream.get(), list.data(), value);
  ASSERT_EQ(cudaEventRecord(event, stream.get()), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
  EXPECT_EQ(cudaStreamQuery(stream.get()), cudaErrorNotReady);
  while (cudaEventQuery(event) == cudaErrorNotReady) continue;
  EXPECT_EQ(cudaStreamQuery(stream.get()), cudaSuccess);
  EXPECT_EQ(appended(list), (std::vector{1, 2, 3}));
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

__global__ void spin(float* value, int times) {
  for (int i = 0; i < times; ++i) *value = *value * 0.5F + 1.0F;
}

TEST_F(EmulationStreamsTest, ElapsedTimeIsThatOfTheHost) {
  const Array<float> value({0.0F});
  cudaEvent_t start = nullptr;
  cudaEvent_t end = nullptr;
  cudaEvent_t untimed = nullptr;
  ASSERT_EQ(cudaEventCreate(&start), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&end), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming), cudaSuccess);
  float milliseconds = -1.0F;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  ASSERT_EQ(cudaEventRecord(start), cudaSuccess);
  cuda::launch(spin, 1, 1, nullptr, value.data(), 100000);
  ASSERT_EQ(cudaEventRecord(end), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(untimed), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  ASSERT_EQ(cudaEventSynchronize(untimed), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_GT(milliseconds, 0.0F);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, untimed), cudaErrorInvalidResourceHandle);
}

TEST_F(EmulationStreamsTest, HandlesThatAreGone) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  ASSERT_EQ(cudaEventDestroy(event), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventSynchronize(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventDestroy(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  cuda::launch(append, 1, 1, stream, nullptr, 0);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
}

__global__ void count_up(int* counter) { *counter += 1; }

TEST_F(EmulationStreamsTest, ThreadsOfTheHostHaveTheirOwnStreams) {
  constexpr int kThreads = 4;
  constexpr int kLaunches = 200;
  const Array<int> counter({0});
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const OwnStream stream;
      for (int launch = 0; launch < kLaunches; ++launch) {
        cuda::launch(count_up, 1, 1, stream.get(), counter.data());
        if (launch % 10 == 0) stream.synchronize();
      }
      stream.synchronize();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.values(), std::vector<int>{kThreads * kLaunches});
}

}  // namespace
}  // namespace inferometer
