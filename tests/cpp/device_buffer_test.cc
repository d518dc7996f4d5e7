#include "backend/device_buffer.h"

#include <gtest/gtest.h>

#include "remote_backend.h"

namespace inferometer {
namespace {

TEST(DeviceBufferTest, FreesWhatItOwnsOnce) {
  const auto backend = std::make_shared<RemoteBackend>();
  {
    DeviceBuffer first(backend, 100);
    EXPECT_EQ(backend->live_bytes, 100U);
    DeviceBuffer second(std::move(first));
    EXPECT_EQ(second.bytes(), 100U);
    second = DeviceBuffer(backend, 50);
    EXPECT_EQ(backend->live_bytes, 50U);
  }
  EXPECT_EQ(backend->live_bytes, 0U);
  EXPECT_EQ(backend->allocations, 2);
}

TEST(DeviceBufferTest, AnEmptyOneOwnsNothing) {
  const DeviceBuffer buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.bytes(), 0U);
}

}  // namespace
}  // namespace inferometer
