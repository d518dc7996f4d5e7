// Kernels on the host emulation of CUDA.
#include <cuda_emulation.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "backend/cuda/cuda_launch.h"
#include "emulated_array.h"

namespace inferometer {
namespace {

using EmulationLaunchTest = EmulationTest;

__global__ void scale(float* values, int count, float factor) {
  const auto i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) values[i] *= factor;
}

TEST_F(EmulationLaunchTest, RunsEachThreadOnce) {
  std::vector<float> values(1000, 1.0F);
  const Array<float> array(values);
  cuda::launch(scale, 4, 256, nullptr, array.data(), 1000, 3.0F);
  EXPECT_EQ(array.values(), std::vector<float>(1000, 3.0F));
}

__global__ void note_position(unsigned* seen, uint3* positions, uint3* blocks) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned i = block * blockDim.x * blockDim.y * blockDim.z + thread;
  ++seen[i];
  positions[i] = threadIdx;
  blocks[i] = blockIdx;
}

TEST_F(EmulationLaunchTest, PositionsOfThreeDimensions) {
  const dim3 grid(3, 5, 2);
  const dim3 block(4, 2, 3);
  constexpr size_t kThreads = size_t{30} * 24;
  const Array<unsigned> seen(std::vector<unsigned>(kThreads, 0));
  const Array<uint3> positions(std::vector<uint3>(kThreads, {9, 9, 9}));
  const Array<uint3> blocks(std::vector<uint3>(kThreads, {9, 9, 9}));
  cuda::launch(note_position, grid, block, nullptr, seen.data(), positions.data(), blocks.data());
  EXPECT_EQ(seen.values(), std::vector<unsigned>(kThreads, 1));
  const uint3 thread = positions.values()[kThreads - 1];
  EXPECT_EQ((std::vector{thread.x, thread.y, thread.z}), (std::vector{3U, 1U, 2U}));
  const uint3 last = blocks.values()[kThreads - 1];
  EXPECT_EQ((std::vector{last.x, last.y, last.z}), (std::vector{2U, 4U, 1U}));
}

constexpr unsigned kWidth = 256;

/// As kernels do it: a template, and memory that its block shares.
template <unsigned kThreads>
__global__ void sum_rows(const float* values, unsigned columns, float* sums) {
  __shared__ float partial[kThreads];
  const unsigned thread = threadIdx.x;
  const float* const row = values + size_t{blockIdx.x} * columns;
  float sum = 0.0F;
  for (unsigned i = thread; i < columns; i += kThreads) sum += row[i];
  partial[thread] = sum;
  for (unsigned stride = kThreads / 2; stride > 0; stride /= 2) {
    __syncthreads();
    if (thread < stride) partial[thread] += partial[thread + stride];
  }
  if (thread == 0) sums[blockIdx.x] = partial[0];
}

TEST_F(EmulationLaunchTest, ThreadsWaitForOneAnother) {
  constexpr unsigned kRows = 20;
  constexpr unsigned kColumns = 1000;
  std::vector<float> values(size_t{kRows} * kColumns);
  std::vector<float> wanted(kRows);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 7);
    wanted[i / kColumns] += values[i];
  }
  const Array<float> array(values);
  for (uint64_t seed = 0; seed < 10; ++seed) {
    emulation::set_seed(seed);
    const Array<float> sums(std::vector<float>(kRows, 0.0F));
    cuda::launch(sum_rows<kWidth>, kRows, kWidth, nullptr, array.data(), kColumns, sums.data());
    EXPECT_EQ(sums.values(), wanted) << "seed " << seed;
  }
}

__global__ void note_order(unsigned* next, unsigned* order) {
  order[(*next)++] = blockIdx.x * blockDim.x + threadIdx.x;
}

std::vector<unsigned> order_of(uint64_t seed) {
  emulation::set_seed(seed);
  const Array<unsigned> next({0});
  const Array<unsigned> order(std::vector<unsigned>(96, 0));
  cuda::launch(note_order, 3, 32, nullptr, next.data(), order.data());
  return order.values();
}

TEST_F(EmulationLaunchTest, OrderIsTheSeeds) {
  const std::vector<unsigned> order = order_of(5);
  EXPECT_EQ(order, order_of(5));
  EXPECT_NE(order, order_of(6));
  EXPECT_EQ(std::set<unsigned>(order.begin(), order.end()).size(), 96U);
  std::set<unsigned> first_blocks;
  for (uint64_t seed = 0; seed < 50; ++seed) first_blocks.insert(order_of(seed)[0] / 32);
  EXPECT_EQ(first_blocks.size(), 3U);
}

/// What the block found in memory that it shares, before it wrote.
template <typename T>
__global__ void note_leftovers(T* found) {
  __shared__ T shared[32];
  found[blockIdx.x * blockDim.x + threadIdx.x] = shared[threadIdx.x];
  shared[threadIdx.x] = T{1};
}
__global__ void note_leftovers_of_barriers(float* found) {
  __shared__ float shared[32];
  __shared__ float sum;
  found[blockIdx.x * blockDim.x + threadIdx.x] = shared[threadIdx.x];
  __syncthreads();
  shared[threadIdx.x] = 1.0F;
  sum = 1.0F;
  __syncthreads();
  if (threadIdx.x == 0) found[0] += sum;
}

TEST_F(EmulationLaunchTest, BlocksFindNothingOfOneAnother) {
  const Array<float> found(std::vector<float>(128, 0.0F));
  for (int i = 0; i < 2; ++i) {
    cuda::launch(note_leftovers<float>, 4, 32, nullptr, found.data());
    for (const float value : found.values()) EXPECT_TRUE(std::isnan(value));
    cuda::launch(note_leftovers_of_barriers, 4, 32, nullptr, found.data());
    for (const float value : found.values()) EXPECT_TRUE(std::isnan(value));
  }
  const Array<int> numbers(std::vector<int>(128, 0));
  cuda::launch(note_leftovers<int>, 4, 32, nullptr, numbers.data());
  EXPECT_EQ(numbers.values(), std::vector<int>(128, -1));
}

TEST_F(EmulationLaunchTest, RefusesSizesThatNoDeviceHas) {
  const Array<float> array({1.0F});
  const std::vector<std::pair<dim3, dim3>> sizes = {
      {0, 1}, {1, 0}, {1, 1025}, {1, dim3(32, 33)}, {dim3(1, 65536), 1}, {1, dim3(1, 1, 65)}};
  for (const auto& [grid, block] : sizes) {
    cuda::launch(scale, grid, block, nullptr, array.data(), 1, 2.0F);
    EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }
  EXPECT_EQ(array.values(), std::vector<float>{1.0F});
}

__global__ void return_before_barrier(float* values, int threads) {
  if (static_cast<int>(threadIdx.x) >= threads) return;
  __syncthreads();
  values[0] = 1.0F;
}

TEST_F(EmulationLaunchTest, DivergentBarrierFails) {
  const Array<float> array({0.0F});
  cuda::launch(return_before_barrier, 1, 64, nullptr, array.data(), 64);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(emulation::last_failure(), "");
  cuda::launch(return_before_barrier, 1, 64, nullptr, array.data(), 60);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  const std::string failure = emulation::last_failure();
  EXPECT_NE(failure.find("divergent __syncthreads() in block (0, 0, 0)"), std::string::npos);
  EXPECT_NE(failure.find("emulation_launch_test.cc"), std::string::npos);
  EXPECT_NE(failure.find("60 of 64 threads wait"), std::string::npos) << failure;
  EXPECT_NE(failure.find("seed " + std::to_string(emulation::seed())), std::string::npos);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  // Until the context is made anew; the stacks that were left can be used again.
  EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
  const Array<float> again({0.0F});
  cuda::launch(return_before_barrier, 1, 64, nullptr, again.data(), 64);
  EXPECT_EQ(again.values(), std::vector<float>{1.0F});
}

__global__ void two_barriers(float* values) {
  // NOLINTNEXTLINE(bugprone-branch-clone)
  if (threadIdx.x < 3) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  values[0] = 1.0F;
}

TEST_F(EmulationLaunchTest, TwoBarriersAreNotOne) {
  const Array<float> array({0.0F});
  cuda::launch(two_barriers, 1, 8, nullptr, array.data());
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_NE(emulation::last_failure().find("8 of 8 threads wait"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
