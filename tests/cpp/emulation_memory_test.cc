// Memory of the emulation of CUDA: what copies take, and how much there is.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "emulated_array.h"

namespace inferometer {
namespace {

using EmulationMemoryTest = EmulationTest;

TEST_F(EmulationMemoryTest, CopiesAndSets) {
  const Array<int> from({1, 2, 3, 4});
  const Array<int> to({0, 0, 0, 0});
  EXPECT_EQ(cudaMemcpy(to.data(), from.data(), 8, cudaMemcpyDeviceToDevice), cudaSuccess);
  EXPECT_EQ(to.values(), (std::vector{1, 2, 0, 0}));
  EXPECT_EQ(cudaMemcpy(to.data(), from.data() + 2, 8, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(cudaMemset(to.data() + 3, 0xFF, 4), cudaSuccess);
  EXPECT_EQ(to.values(), (std::vector{3, 4, 0, -1}));
}

TEST_F(EmulationMemoryTest, NewMemoryIsNotANumber) {
  float* data = nullptr;
  ASSERT_EQ(cudaMalloc(&data, 16 * sizeof(float)), cudaSuccess);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 256, 0U);
  std::vector<float> values(16, 0.0F);
  ASSERT_EQ(cudaMemcpy(values.data(), data, 64, cudaMemcpyDeviceToHost), cudaSuccess);
  for (const float value : values) EXPECT_TRUE(std::isnan(value));
  ASSERT_EQ(cudaFree(data), cudaSuccess);
  float* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, 64), cudaSuccess);
  EXPECT_TRUE(std::isnan(pinned[15]));
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_F(EmulationMemoryTest, DirectionsAreChecked) {
  const Array<int> device({1, 2, 3, 4});
  std::vector<int> host(4, 0);
  const auto copy = [&](void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
    return cudaMemcpy(to, from, bytes, kind);
  };
  EXPECT_EQ(copy(host.data(), host.data() + 2, 8, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), device.data() + 2, 8, cudaMemcpyHostToDevice),
            cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 8, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host.data(), host.data() + 2, 8, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 8, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 8, cudaMemcpyHostToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(device.data(), host.data(), 8, static_cast<cudaMemcpyKind>(5)),
            cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(copy(nullptr, host.data(), 8, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host.data(), nullptr, 8, cudaMemcpyHostToHost), cudaErrorInvalidValue);
  // More than is there.
  EXPECT_EQ(copy(device.data() + 1, host.data(), 16, cudaMemcpyHostToDevice),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(device.data(), 0, 17), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(host.data(), 0, 4), cudaErrorInvalidValue);
  // Nothing is never wrong.
  EXPECT_EQ(copy(nullptr, nullptr, 0, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(device.values(), (std::vector{1, 2, 3, 4}));
}

TEST_F(EmulationMemoryTest, MemoryRunsOut) {
  emulation::set_capacity(0, 1000);
  void* large = nullptr;
  void* small = nullptr;
  ASSERT_EQ(cudaMalloc(&large, 900), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&small, 101), cudaErrorMemoryAllocation);
  EXPECT_EQ(small, nullptr);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  ASSERT_EQ(cudaMalloc(&small, 100), cudaSuccess);
  size_t free_bytes = 1;
  size_t total_bytes = 0;
  EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(free_bytes, 0U);
  EXPECT_EQ(total_bytes, 1000U);
  EXPECT_EQ(cudaFree(large), cudaSuccess);
  EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(free_bytes, 900U);
  EXPECT_EQ(cudaFree(small), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&small, SIZE_MAX), cudaErrorMemoryAllocation);
}

TEST_F(EmulationMemoryTest, WhatIsNoAllocationIsNotFreed) {
  void* data = nullptr;
  void* pinned = nullptr;
  ASSERT_EQ(cudaMalloc(&data, 100), cudaSuccess);
  ASSERT_EQ(cudaHostAlloc(&pinned, 100, cudaHostAllocDefault), cudaSuccess);
  EXPECT_EQ(emulation::live().bytes, 100U);
  EXPECT_EQ(emulation::live().pinned_bytes, 100U);
  EXPECT_EQ(cudaFree(static_cast<std::byte*>(data) + 1), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(pinned), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(data), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(data), cudaSuccess);
  EXPECT_EQ(cudaFree(data), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(pinned), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(nullptr), cudaSuccess);
  EXPECT_EQ(emulation::live().allocations, 0U);
  EXPECT_EQ(emulation::live().pinned_allocations, 0U);
}

TEST_F(EmulationMemoryTest, DevicesHaveTheirOwn) {
  emulation::set_devices(2);
  emulation::set_capacity(1, 64);
  const Array<int> first({1});
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  const Array<int> second({2});
  void* more = nullptr;
  EXPECT_EQ(cudaMalloc(&more, 64), cudaErrorMemoryAllocation);
  // The default stream is that of the current device.
  EXPECT_EQ(cudaMemset(first.data(), 0, 4), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(second.data(), first.data(), 4, cudaMemcpyDeviceToDevice),
            cudaErrorInvalidValue);
  EXPECT_EQ(second.values(), std::vector<int>{2});
  // Memory is freed whichever is the current device.
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(first.values(), std::vector<int>{1});
  EXPECT_EQ(emulation::live().allocations, 2U);
}

TEST_F(EmulationMemoryTest, RegisteredMemoryStaysItsOwners) {
  std::vector<int> host(64, 7);
  const size_t bytes = host.size() * sizeof(int);
  ASSERT_EQ(cudaHostRegister(host.data(), bytes, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(emulation::live().pinned_bytes, bytes);
  EXPECT_EQ(cudaHostRegister(host.data(), bytes, cudaHostRegisterDefault),
            cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaFreeHost(host.data()), cudaErrorInvalidValue);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(emulation::live().pinned_bytes, 0U);
  EXPECT_EQ(host.back(), 7);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaErrorHostMemoryNotRegistered);
  ASSERT_EQ(cudaHostRegister(host.data(), bytes, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaSuccess);
}

TEST_F(EmulationMemoryTest, AQueuedCopyOfFreedMemoryIsSeen) {
  if (emulation::has_address_sanitizer())
    GTEST_SKIP() << "AddressSanitizer says so: see EmulationStreamMistakesTest";
  const OwnStream stream;
  int* data = nullptr;
  int host = 0;
  ASSERT_EQ(cudaMalloc(&data, sizeof(int)), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(&host, data, sizeof(int), cudaMemcpyDeviceToHost, stream.get()),
            cudaSuccess);
  ASSERT_EQ(cudaFree(data), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorIllegalAddress);
  EXPECT_NE(emulation::last_failure().find("the source of a copy is not memory of the device"),
            std::string::npos);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  const Array<int> target({0});
  int* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, sizeof(int)), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(target.data(), pinned, sizeof(int), cudaMemcpyHostToDevice),
            cudaSuccess);
  ASSERT_EQ(cudaFreeHost(pinned), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  EXPECT_NE(emulation::last_failure().find("no longer pinned"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
