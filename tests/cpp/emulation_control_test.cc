// What tests say to the emulation of CUDA: devices, failures to come, devices that are lost,
// counts.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "backend/cuda/cuda_launch.h"
#include "emulated_array.h"

namespace inferometer {
namespace {

using EmulationControlTest = EmulationTest;

TEST_F(EmulationControlTest, ErrorsHaveNamesAndNumbers) {
  EXPECT_EQ(int{cudaErrorInsufficientDriver}, 35);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorMemoryAllocation), "cudaErrorMemoryAllocation");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(12345)), "unrecognized error code");
}

TEST_F(EmulationControlTest, WithoutDriver) {
  emulation::set_driver(false);
  int count = -7;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  EXPECT_EQ(count, -7);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInsufficientDriver);
  int version = -1;
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 0);
  EXPECT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 13000);
  void* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, 1), cudaErrorInsufficientDriver);
}

TEST_F(EmulationControlTest, WithoutDevices) {
  emulation::set_devices(0);
  int count = -1;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorNoDevice);
}

TEST_F(EmulationControlTest, DevicesOfAThread) {
  emulation::set_devices(2);
  int count = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(-1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  int here = -1;
  int there = -1;
  EXPECT_EQ(cudaGetDevice(&here), cudaSuccess);
  cudaError_t error_there = cudaErrorUnknown;
  std::thread([&] {
    EXPECT_EQ(cudaGetDevice(&there), cudaSuccess);
    error_there = cudaGetLastError();
  }).join();
  EXPECT_EQ(here, 1);
  EXPECT_EQ(there, 0);
  EXPECT_EQ(error_there, cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

TEST_F(EmulationControlTest, Properties) {
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "Emulated GPU 0");
  EXPECT_EQ(properties.totalGlobalMem, size_t{1} << 30);
  int value = 0;
  EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0), cudaSuccess);
  EXPECT_EQ(value, properties.multiProcessorCount);
  EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 1),
            cudaErrorInvalidDevice);
  char bus[16];
  EXPECT_EQ(cudaDeviceGetPCIBusId(bus, sizeof bus, 0), cudaSuccess);
  EXPECT_STREQ(bus, "0000:01:00.0");
}

/// What a program might do: 4 calls that may fail, and those that give back what there is.
cudaError_t small_program() {
  int* data = nullptr;
  cudaStream_t stream = nullptr;
  cudaError_t error = cudaMalloc(&data, 4);
  if (error == cudaSuccess) error = cudaStreamCreate(&stream);
  if (error == cudaSuccess) error = cudaMemsetAsync(data, 0, 4, stream);
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  if (stream != nullptr) cudaStreamDestroy(stream);
  cudaFree(data);
  return error;
}

TEST_F(EmulationControlTest, EachCallFailsInItsTurn) {
  for (uint64_t nth = 1; nth <= 4; ++nth) {
    emulation::fail_call(emulation::kAnyCall, nth, cudaErrorUnknown);
    EXPECT_EQ(small_program(), cudaErrorUnknown) << nth;
    EXPECT_EQ(emulation::clear_failures(), 0U);
    EXPECT_EQ(emulation::live().allocations, 0U);
    EXPECT_EQ(emulation::live().streams, 0U);
  }
  emulation::fail_call(emulation::kAnyCall, 5, cudaErrorUnknown);
  EXPECT_EQ(small_program(), cudaSuccess);
  EXPECT_EQ(emulation::clear_failures(), 1U);
}

TEST_F(EmulationControlTest, ACallFailsByItsName) {
  emulation::fail_call("cudaMalloc", 2, cudaErrorMemoryAllocation);
  EXPECT_EQ(small_program(), cudaSuccess);
  EXPECT_EQ(small_program(), cudaErrorMemoryAllocation);
  EXPECT_EQ(small_program(), cudaSuccess);
  // What waits does so even if it fails: there is nothing left that would use what is freed then.
  const Array<int> data({0});
  ASSERT_EQ(cudaMemsetAsync(data.data(), 1, 4), cudaSuccess);
  emulation::fail_call("cudaDeviceSynchronize", 1, cudaErrorUnknown);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorUnknown);
  EXPECT_EQ(emulation::live().queued_operations, 0U);
}

TEST_F(EmulationControlTest, WhatReleasesDoesSoEvenIfItFails) {
  void* data = nullptr;
  ASSERT_EQ(cudaMalloc(&data, 4), cudaSuccess);
  emulation::fail_call("cudaFree", 1, cudaErrorUnknown);
  EXPECT_EQ(cudaFree(data), cudaErrorUnknown);
  EXPECT_EQ(emulation::live().allocations, 0U);
}

__global__ void set_one(int* data) { *data = 1; }

TEST_F(EmulationControlTest, AKernelFails) {
  const Array<int> data({0});
  emulation::fail_call("cudaLaunchKernel", 1, cudaErrorLaunchOutOfResources);
  cuda::launch(set_one, 1, 1, nullptr, data.data());
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchOutOfResources);
  EXPECT_EQ(data.values(), std::vector<int>{0});
}

TEST_F(EmulationControlTest, ALostDeviceStaysLostUntilItIsReset) {
  emulation::set_devices(2);
  const Array<int> data({0});
  const OwnStream stream;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  emulation::lose_device(0, cudaErrorIllegalAddress);
  cuda::launch(set_one, 1, 1, stream.get(), data.data());
  cuda::launch(set_one, 1, 1, stream.get(), data.data());
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorIllegalAddress);
  EXPECT_EQ(emulation::live().queued_operations, 0U);
  EXPECT_NE(emulation::last_failure().find("device 0: cudaErrorIllegalAddress"), std::string::npos);
  void* more = nullptr;
  EXPECT_EQ(cudaMalloc(&more, 1), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorIllegalAddress);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  // The other device has nothing to do with it.
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(emulation::live().allocations + emulation::live().streams + emulation::live().events,
            0U);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaFree(data.data()), cudaErrorInvalidValue);
  EXPECT_EQ(small_program(), cudaSuccess);
}

TEST_F(EmulationControlTest, WhatIsReleasedOnALostDeviceIsGone) {
  void* data = nullptr;
  ASSERT_EQ(cudaMalloc(&data, 4), cudaSuccess);
  emulation::lose_device(0, cudaErrorLaunchFailure);
  cuda::launch(set_one, 1, 1, nullptr, static_cast<int*>(data));
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaFree(data), cudaErrorLaunchFailure);
  EXPECT_EQ(emulation::live().allocations, 0U);
}

TEST_F(EmulationControlTest, CountsCalls) {
  emulation::reset_calls();
  EXPECT_EQ(small_program(), cudaSuccess);
  EXPECT_EQ(emulation::calls("cudaMalloc"), 1U);
  EXPECT_EQ(emulation::calls("cudaFree"), 1U);
  EXPECT_EQ(emulation::calls("cudaMallocHost"), 0U);
  EXPECT_EQ(emulation::calls(emulation::kAnyCall), 6U);
  emulation::reset_calls();
  EXPECT_EQ(emulation::calls(emulation::kAnyCall), 0U);
}

TEST_F(EmulationControlTest, FunctionsForOtherLanguages) {
  inferometer_emulation_set_devices(3);
  int count = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 3);
  inferometer_emulation_set_capacity(0, 10);
  inferometer_emulation_fail_call("cudaMalloc", 1, cudaErrorUnknown);
  void* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, 10), cudaErrorUnknown);
  EXPECT_EQ(cudaMalloc(&data, 11), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&data, 10), cudaSuccess);
  EXPECT_EQ(inferometer_emulation_live("bytes"), 10U);
  EXPECT_EQ(inferometer_emulation_live("no such field"), SIZE_MAX);
  EXPECT_EQ(inferometer_emulation_calls("cudaMalloc"), 3U);
  inferometer_emulation_set_seed(9);
  EXPECT_EQ(inferometer_emulation_seed(), 9U);
  inferometer_emulation_lose_device(0, cudaErrorLaunchTimeout);
  cuda::launch(set_one, 1, 1, nullptr, static_cast<int*>(data));
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchTimeout);
  EXPECT_NE(std::strstr(inferometer_emulation_last_failure(), "seed 9"), nullptr);
  inferometer_emulation_set_driver(0);
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  inferometer_emulation_reset();
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace inferometer
