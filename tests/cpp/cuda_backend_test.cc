// The CUDA backend on the host emulation: errors, memory and contexts. What it computes is tested
// with the other backends (stream_test.cc).
#include "backend/cuda/cuda_backend.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "emulated_cuda.h"

namespace inferometer {
namespace {

class CudaBackendTest : public EmulatedCuda {};

TEST_F(CudaBackendTest, SaysWhichDeviceItIs) {
  EXPECT_TRUE(backend(1)->name().starts_with("cuda:1 ("));
  EXPECT_FALSE(backend()->uses_host_memory());
}

TEST_F(CudaBackendTest, ADeviceThatIsNotThereIsNamed) {
  for (const int device : {-1, 2, 7}) {
    EXPECT_TRUE(contains(said([&] { (void)backend(device); }), "cudaErrorInvalidDevice"));
    EXPECT_TRUE(contains(said([&] { (void)backend(device); }),
                         "got cuda:" + std::to_string(device) + ", there are 2 devices"));
  }
}

TEST_F(CudaBackendTest, AGpuThatIsTooOldIsUnavailable) {
  emulation::set_compute_capability(0, 7, 0);
  EXPECT_TRUE(contains(said([&] { (void)backend(); }), "got compute capability 7.0, want 7.5"));
  EXPECT_EQ(fault_of([&] { (void)backend(); }), DeviceFault::kUnavailable);
  for (const auto& [major, minor] : {std::pair(7, 5), {8, 0}, {12, 0}}) {
    emulation::set_compute_capability(0, major, minor);
    EXPECT_NE(backend(), nullptr);
  }
}

TEST_F(CudaBackendTest, WithoutADriverOrADeviceItSaysSo) {
  emulation::set_driver(false);
  EXPECT_TRUE(contains(said([&] { (void)backend(); }), "cudaErrorInsufficientDriver"));
  EXPECT_EQ(fault_of([&] { (void)backend(); }), DeviceFault::kUnavailable);
  emulation::set_driver(true);
  emulation::set_devices(0);
  EXPECT_TRUE(contains(said([&] { (void)backend(); }), "cudaErrorNoDevice"));
}

TEST_F(CudaBackendTest, MemoryRunsOutAndTheDeviceGoesOn) {
  const auto gpu = backend();
  emulation::set_capacity(0, size_t{1} << 20);
  EXPECT_EQ(fault_of([&] { (void)gpu->allocate(size_t{2} << 20); }), DeviceFault::kOutOfMemory);
  EXPECT_TRUE(
      contains(said([&] { (void)gpu->allocate(size_t{2} << 20); }), "cudaErrorMemoryAllocation"));
  EXPECT_TRUE(
      contains(said([&] { (void)gpu->allocate(size_t{2} << 20); }), "allocating 2097152 bytes"));
  EXPECT_TRUE(gpu->healthy());
  const DeviceBuffer buffer(gpu, 1000);
  EXPECT_NE(buffer.data(), nullptr);
}

TEST_F(CudaBackendTest, StagingMemoryIsWholePages) {
  const auto gpu = backend();
  for (const size_t bytes : {0U, 1U, 4095U, 4096U, 4097U}) {
    const StagingBuffer host(gpu, bytes);
    EXPECT_GE(emulation::live().pinned_bytes, bytes);
    EXPECT_EQ(emulation::live().pinned_bytes % 4096, 0U) << bytes;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(host.data()) % 4096, 0U) << bytes;
  }
}

TEST_F(CudaBackendTest, AConstantIsThereForEveryStream) {
  const auto gpu = backend();
  const auto stream = gpu->make_stream();
  const DeviceBuffer device(gpu, 64);
  const StagingBuffer host(gpu, 64);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    emulation::set_seed(seed);
    const std::vector<std::byte> constant(64, static_cast<std::byte>(seed));
    gpu->load(device.data(), constant.data(), 64);
    stream->copy_out(host.data(), device.data(), 64);
    stream->synchronize();
    EXPECT_EQ(std::memcmp(host.data(), constant.data(), 64), 0) << "seed " << seed;
  }
}

TEST_F(CudaBackendTest, WhateverCallFailsNothingLeaks) {
  const emulation::Live before = emulation::live();
  const auto everything = [&] {
    const auto gpu = backend();
    const DeviceBuffer device(gpu, 64);
    const StagingBuffer host(gpu, 64);
    const auto stream = gpu->make_stream();  // goes first: it waits for what uses the memory
    std::memset(host.data(), 3, 64);
    gpu->load(device.data(), host.data(), 64);
    stream->begin(RunPart::kInput);
    stream->copy_in(device.data(), host.data(), 64);
    stream->begin(RunPart::kInfer);
    stream->relu(16, floats_of(device), floats_of(device));
    stream->begin(RunPart::kOutput);
    stream->copy_out(host.data(), device.data(), 64);
    stream->end_run();
    stream->synchronize();
    (void)stream->elapsed_ns(RunPart::kInput);
  };
  int failures = 0;
  for (uint64_t nth = 1;; ++nth) {
    emulation::clear_failures();
    emulation::fail_call(emulation::kAnyCall, nth, cudaErrorUnknown);
    try {
      everything();
    } catch (const DeviceError& error) {
      const std::string text = error.what();
      EXPECT_TRUE(contains(text, "cudaErrorUnknown") || text.starts_with("cublas")) << text;
      ++failures;
    }
    expect_no_leak(before, nth);
    if (emulation::clear_failures() > 0) break;  // there was no such call any more
  }
  EXPECT_GT(failures, 15);
}

TEST_F(CudaBackendTest, ALostContextFailsEverythingUntilTheNextBackend) {
  const auto gpu = backend();
  auto stream = gpu->make_stream();
  auto buffer = std::make_unique<DeviceBuffer>(gpu, 64);
  auto host = std::make_unique<StagingBuffer>(gpu, 64);
  emulation::lose_device(0, cudaErrorIllegalAddress);
  stream->relu(16, floats_of(*buffer), floats_of(*buffer));
  EXPECT_TRUE(contains(said([&] { (void)stream->synchronize(); }), "cudaErrorIllegalAddress"));
  EXPECT_FALSE(gpu->healthy());
  EXPECT_EQ(fault_of([&] { stream->synchronize(); }), DeviceFault::kLost);
  EXPECT_EQ(fault_of([&] { (void)gpu->allocate(1); }), DeviceFault::kLost);
  EXPECT_EQ(fault_of([&] { (void)gpu->make_stream(); }), DeviceFault::kLost);
  EXPECT_EQ(fault_of([&] { stream->copy_in(buffer->data(), host->data(), 64); }),
            DeviceFault::kLost);
  stream->abandon();

  const auto fresh = backend();
  EXPECT_TRUE(fresh->healthy());
  EXPECT_FALSE(gpu->healthy()) << "what was lost stays lost";
  const DeviceBuffer again(fresh, 64);
  std::memset(host->data(), 1, 64);  // still memory, though not pinned
  buffer.reset();                    // frees nothing that is somebody else's by now
  stream.reset();
  host.reset();
  const auto works = fresh->make_stream();
  works->relu(16, floats_of(again), floats_of(again));
  works->synchronize();
}

TEST_F(CudaBackendTest, ALostContextThatCublasFindsIsCalledLost) {
  const auto gpu = backend();
  const auto stream = gpu->make_stream();
  const DeviceBuffer x(gpu, 64);
  const DeviceBuffer y(gpu, 64);
  emulation::lose_device(0, cudaErrorIllegalAddress);
  stream->relu(16, floats_of(x), floats_of(y));
  std::thread([] { EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress); }).join();
  const Gemm op = {
      .rows_per_row = 1, .k = 4, .n = 4, .transpose_w = false, .activation = Activation::kNone};
  EXPECT_EQ(fault_of([&] { stream->gemm(op, 1, floats_of(x), x.data(), nullptr, floats_of(y)); }),
            DeviceFault::kLost);
}

TEST_F(CudaBackendTest, ALostContextThatAReleaseFindsIsNotedAndNotFoundAgain) {
  const auto first = backend(0);
  const auto second = backend(1);
  const auto stream = first->make_stream();
  const auto other = second->make_stream();
  const DeviceBuffer there(second, 64);
  auto buffer = std::make_unique<DeviceBuffer>(first, 64);
  emulation::lose_device(0, cudaErrorIllegalAddress);
  stream->relu(16, floats_of(*buffer), floats_of(*buffer));
  // Of somebody else: this thread has not heard of it.
  std::thread([] { EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress); }).join();
  buffer.reset();
  EXPECT_FALSE(first->healthy());
  EXPECT_NO_THROW(other->relu(16, floats_of(there), floats_of(there)));
  EXPECT_NO_THROW(other->synchronize());
}

TEST_F(CudaBackendTest, AForkedChildDoesNotCallCuda) {
  const auto gpu = backend();
  auto stream = gpu->make_stream();
  auto buffer = std::make_unique<DeviceBuffer>(gpu, 64);
  auto host = std::make_unique<StagingBuffer>(gpu, 64);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const uint64_t before = emulation::calls(emulation::kAnyCall);
    bool good = contains(said([&] { stream->synchronize(); }), "a forked child");
    good = good && fault_of([&] { (void)backend(1); }) == DeviceFault::kOther;
    stream->abandon();
    stream.reset();
    buffer.reset();
    host.reset();
    _exit(good && emulation::calls(emulation::kAnyCall) == before ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NO_THROW(stream->synchronize());
}

TEST_F(CudaBackendTest, AnotherDeviceIsNotLostWithIt) {
  const auto first = backend(0);
  const auto second = backend(1);
  const auto stream = first->make_stream();
  const DeviceBuffer buffer(first, 64);
  emulation::lose_device(0, cudaErrorLaunchFailure);
  stream->relu(16, floats_of(buffer), floats_of(buffer));
  stream->abandon();
  EXPECT_FALSE(first->healthy());
  EXPECT_TRUE(second->healthy());
  EXPECT_NE(second->make_stream(), nullptr);
}

}  // namespace
}  // namespace inferometer
