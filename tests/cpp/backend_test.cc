// Conformance of every backend: memory, constants, streams.
#include "backend/backend.h"

#include <gtest/gtest.h>

#include <cstring>

#include "backends_under_test.h"

namespace inferometer {
namespace {

TEST_P(BackendTest, MemoryIsAlignedAndKeepsItsContent) {
  const Memory memory = random(1000);
  EXPECT_EQ(memory.read(), memory.host());
  DeviceBuffer from(backend_, 64);
  DeviceBuffer to(backend_, 64);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(from.data()) % 64, 0U);
  const std::vector<std::byte> bytes(64, std::byte{42});
  stream_->copy_in(from.data(), bytes.data(), 64);
  stream_->copy(to.data(), from.data(), 64);
  std::vector<std::byte> back(64);
  stream_->copy_out(back.data(), to.data(), 64);
  stream_->synchronize();
  EXPECT_EQ(back, bytes);
}

TEST_P(BackendTest, ConstantsAreThereAtOnce) {
  DeviceBuffer buffer(backend_, 100);
  std::vector<std::byte> bytes(100, std::byte{7});
  backend_->load(buffer.data(), bytes.data(), 100);
  std::fill(bytes.begin(), bytes.end(), std::byte{0});  // the host's copy may go
  std::vector<std::byte> back(100);
  stream_->copy_out(back.data(), buffer.data(), 100);
  stream_->synchronize();
  EXPECT_EQ(back, std::vector<std::byte>(100, std::byte{7}));
}

TEST_P(BackendTest, CopiesThroughStagingMemory) {
  const StagingBuffer in(backend_, 256);
  const StagingBuffer out(backend_, 256);
  const DeviceBuffer device(backend_, 256);
  std::memset(in.data(), 42, 256);
  std::memset(out.data(), 0, 256);
  stream_->begin(RunPart::kInput);
  stream_->copy_in(device.data(), in.data(), 256);
  stream_->begin(RunPart::kInfer);
  stream_->begin(RunPart::kOutput);
  stream_->copy_out(out.data(), device.data(), 256);
  stream_->end_run();
  stream_->synchronize();
  EXPECT_EQ(std::memcmp(in.data(), out.data(), 256), 0);
  EXPECT_GE(stream_->elapsed_ns(RunPart::kInput), 0);
  EXPECT_GE(stream_->elapsed_ns(RunPart::kOutput), 0);
}

TEST_P(BackendTest, StreamsWorkBesideEachOther) {
  const std::unique_ptr<Stream> other = backend_->make_stream();
  const Memory x = random(1000);
  const Memory y = output(1000);
  const Memory z = output(1000);
  stream_->relu(1000, x.device(), y.device());
  other->relu(1000, x.device(), z.device());
  other->synchronize();
  stream_->synchronize();
  EXPECT_EQ(y.read(), z.read());
  EXPECT_NE(y.read(), x.read());
}

TEST_P(BackendTest, AHealthyOneSaysSo) {
  EXPECT_TRUE(backend_->healthy());
  stream_->abandon();  // nothing is under way
  EXPECT_TRUE(backend_->healthy());
}

INSTANTIATE_TEST_SUITE_P(Backends, BackendTest, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace inferometer
