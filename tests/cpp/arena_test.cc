#include "base/arena.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr size_t kSmallBytes = 4096;  // 64 lines

TEST(ArenaTest, HandsOutZeroedWordsOnTheirOwnCacheLines) {
  Arena arena(kSmallBytes);
  const uint64_t first = arena.allocate(1);
  const uint64_t second = arena.allocate(9);
  const uint64_t third = arena.allocate(8);
  EXPECT_EQ(second - first, Arena::kLineWords);
  EXPECT_EQ(third - second, 2 * Arena::kLineWords);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.at(first)) % 64, 0U);
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(arena.at(second + i)->load(), 0U);
  EXPECT_EQ(arena.offset_of(arena.at(third)), third);
}

TEST(ArenaTest, ReusesFreedRunsOfTheSameSizeAndZeroesThemAgain) {
  Arena arena(kSmallBytes);
  const uint64_t first = arena.allocate(3);
  const uint64_t second = arena.allocate(3);
  for (const uint64_t offset : {first, second}) {
    for (size_t i = 0; i < 8; ++i) *arena.at(offset + i) = 7;
  }
  arena.free(first, 3);
  arena.free(second, 3);
  EXPECT_EQ(arena.used_words(), 0U);
  EXPECT_EQ(arena.allocate(5), second);  // the same size in lines
  EXPECT_EQ(arena.allocate(5), first);
  for (const uint64_t offset : {first, second}) {
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(arena.at(offset + i)->load(), 0U);
  }
}

TEST(ArenaTest, RefusesWhatDoesNotFitAndGoesOn) {
  Arena arena(kSmallBytes);
  EXPECT_THROW((void)arena.allocate(kSmallBytes), ConfigError);
  EXPECT_THROW((void)arena.allocate(~size_t{0}), ConfigError);
  const uint64_t all = arena.allocate(kSmallBytes / 8);
  EXPECT_THROW((void)arena.allocate(1), ConfigError);
  arena.free(all, kSmallBytes / 8);
  EXPECT_NO_THROW((void)arena.allocate(kSmallBytes / 8));
}

TEST(ArenaTest, RefusesLessThanALineAndMoreThanTheAddressSpace) {
  EXPECT_THROW(Arena{63}, ConfigError);
  EXPECT_THROW(Arena{size_t{1} << 60}, ConfigError);
}

TEST(ArenaTest, RunsNeverOverlap) {
  Arena arena(1 << 20);
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same test each time
  std::map<uint64_t, size_t> live;
  for (int step = 0; step < 5000; ++step) {
    if (live.size() < 100 && random() % 3 != 0) {
      const size_t words = 1 + random() % 40;
      const uint64_t offset = arena.allocate(words);
      const auto next = live.lower_bound(offset);
      if (next != live.end()) {
        ASSERT_LE(offset + words, next->first);
      }
      if (next != live.begin()) {
        const auto [previous, size] = *std::prev(next);
        ASSERT_LE(previous + size, offset);
      }
      live.emplace(offset, words);
    } else if (!live.empty()) {
      const auto victim = std::next(live.begin(), static_cast<ptrdiff_t>(random() % live.size()));
      arena.free(victim->first, victim->second);
      live.erase(victim);
    }
  }
}

TEST(ArenaTest, ThreadsGetDifferentRuns) {
  Arena arena;
  constexpr size_t kThreads = 4;
  std::vector<std::vector<uint64_t>> got(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const uint64_t offset = arena.allocate(1);
        arena.at(offset)->store(t);
        if (i % 2 == 0) {
          arena.free(offset, 1);
        } else {
          got[t].push_back(offset);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> distinct;
  for (size_t t = 0; t < kThreads; ++t) {
    for (const uint64_t offset : got[t]) {
      EXPECT_TRUE(distinct.insert(offset).second);
      EXPECT_EQ(arena.at(offset)->load(), t);
    }
  }
}

}  // namespace
}  // namespace inferometer
