#include "telemetry/record/history_thread.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "base/mutex.h"

namespace inferometer {
namespace {

// Counts ticks. Thread-safe.
class Ticks {
 public:
  void operator()() {
    MutexLock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void await(int count) {
    MutexLock lock(mutex_);
    while (count_ < count) changed_.wait(mutex_);
  }
  int count() {
    MutexLock lock(mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ GUARDED_BY(mutex_) = 0;
};

TEST(HistoryThreadTest, TicksKeepToTheirGrid) {
  EXPECT_EQ(next_tick(100, 10, 100), 110);
  EXPECT_EQ(next_tick(100, 10, 109), 110);
  EXPECT_EQ(next_tick(100, 10, 110), 120);
  EXPECT_EQ(next_tick(100, 10, 113), 120) << "lateness does not add up";
  EXPECT_EQ(next_tick(100, 10, 1'234'567), 1'234'570) << "what was missed is not made up for";
}

TEST(HistoryThreadTest, TicksUntilItEnds) {
  Ticks ticks;
  auto thread = std::make_unique<HistoryThread>(1'000'000, [&] { ticks(); });
  ticks.await(5);
  thread.reset();
  EXPECT_GE(ticks.count(), 5);
}

TEST(HistoryThreadTest, EndsWithoutWaitingForItsTick) {
  // A tick in a year would fail the test by its timeout.
  Ticks ticks;
  for (int i = 0; i < 20; ++i) {
    const HistoryThread thread(int64_t{365} * 86'400 * 1'000'000'000, [&] { ticks(); });
  }
  EXPECT_EQ(ticks.count(), 0);
}

}  // namespace
}  // namespace inferometer
