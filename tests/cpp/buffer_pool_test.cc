#include "serving/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace inferometer {
namespace {

TEST(BufferPoolTest, RecyclesWhatWasLetGo) {
  const auto pool = BufferPool::create(1 << 20);
  auto buffer = pool->acquire(1000);
  const std::byte* const address = buffer.get();
  buffer.reset();
  EXPECT_EQ(pool->acquire(900).get(), address);
  EXPECT_EQ(pool->allocated_bytes(), 1024U);
}

TEST(BufferPoolTest, NeverRecyclesWhatSomebodyHolds) {
  const auto pool = BufferPool::create(1 << 20);
  auto buffer = pool->acquire(64);
  const std::shared_ptr<std::byte> kept = buffer;
  buffer.reset();
  EXPECT_NE(pool->acquire(64).get(), kept.get());
}

TEST(BufferPoolTest, GivesBackWhatItMayNotKeep) {
  const auto pool = BufferPool::create(100);
  pool->acquire(64).reset();
  EXPECT_EQ(pool->allocated_bytes(), 64U);
  pool->acquire(4096).reset();
  EXPECT_EQ(pool->allocated_bytes(), 64U);
}

TEST(BufferPoolTest, BuffersOutliveTheirPool) {
  auto pool = BufferPool::create(1 << 20);
  const auto buffer = pool->acquire(256);
  pool.reset();
  std::memset(buffer.get(), 1, 256);
}

TEST(BufferPoolTest, RefusesWhatCannotBeHad) {
  const auto pool = BufferPool::create(0);
  EXPECT_THROW((void)pool->acquire(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW((void)pool->acquire(size_t{1} << 62), std::bad_alloc);
}

TEST(BufferPoolTest, ManyThreadsNeverShareABuffer) {
  const auto pool = BufferPool::create(1 << 16);
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&pool, id] {
      for (int i = 0; i < 2000; ++i) {
        const auto buffer = pool->acquire(64 + static_cast<size_t>(i % 3) * 64);
        std::memset(buffer.get(), id, 64);
        for (int byte = 0; byte < 64; ++byte) {
          ASSERT_EQ(std::to_integer<int>(buffer.get()[byte]), id);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(pool->allocated_bytes(), size_t{1} << 16);
}

}  // namespace
}  // namespace inferometer
