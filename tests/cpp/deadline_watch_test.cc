#include "serving/deadline_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "hour.h"
#include "inferometer/clock.h"

namespace inferometer {
namespace {

// Counts the calls of expire, with the time of each, and answers them from a script.
class Expiries {
 public:
  int64_t operator()() {
    MutexLock lock(mutex_);
    times_.push_back(steady_clock().now_ns());
    changed_.notify_all();
    return times_.size() <= left_.size() ? left_[times_.size() - 1] : kNever;
  }
  void answer(std::vector<int64_t> left) {
    MutexLock lock(mutex_);
    left_ = std::move(left);
  }
  int64_t await(size_t count) {
    MutexLock lock(mutex_);
    while (times_.size() < count) changed_.wait(mutex_);
    return times_[count - 1];
  }
  size_t count() {
    MutexLock lock(mutex_);
    return times_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<int64_t> times_ GUARDED_BY(mutex_);
  std::vector<int64_t> left_ GUARDED_BY(mutex_);
};

class DeadlineWatchTest : public testing::Test {
 protected:
  Expiries expiries_;
  DeadlineWatch watch_{[this] { return expiries_(); }};
};

TEST_F(DeadlineWatchTest, CallsOnceTheDeadlineHasPassed) {
  watch_.ensure_started(nullptr);
  watch_.ensure_started(nullptr);
  const int64_t deadline = steady_clock().now_ns() + 1'000'000;
  watch_.watch(deadline);
  EXPECT_GE(expiries_.await(1), deadline);
}

TEST_F(DeadlineWatchTest, AnEarlierDeadlineIsNotMissed) {
  watch_.ensure_started(nullptr);
  watch_.watch(steady_clock().now_ns() + kHour);
  const int64_t soon = steady_clock().now_ns() + 1'000'000;
  watch_.watch(soon);
  watch_.watch(soon + kHour);
  EXPECT_GE(expiries_.await(1), soon);
}

TEST_F(DeadlineWatchTest, WhatIsLeftIsWatchedOn) {
  const int64_t second = steady_clock().now_ns() + 2'000'000;
  expiries_.answer({second});
  watch_.ensure_started(nullptr);
  watch_.watch(0);
  EXPECT_GE(expiries_.await(2), second);
}

TEST_F(DeadlineWatchTest, ADeadlineThatWasThereBeforeTheThreadIsKept) {
  watch_.watch(0);
  watch_.ensure_started(nullptr);
  (void)expiries_.await(1);
}

TEST_F(DeadlineWatchTest, StopsWithADeadlineAheadAndAgain) {
  watch_.ensure_started(nullptr);
  watch_.watch(steady_clock().now_ns() + kHour);
  watch_.stop();
  watch_.stop();
  watch_.watch(0);
  watch_.ensure_started(nullptr);  // does nothing any more
  EXPECT_EQ(expiries_.count(), 0U);
}

TEST(DeadlineWatchThreadTest, ADeadlineSetWhileExpireLooksIsNotMissed) {
  Expiries expiries;
  DeadlineWatch* self = nullptr;
  DeadlineWatch watch([&] {
    if (expiries.count() < 3) self->watch(0);
    return expiries();
  });
  self = &watch;
  watch.ensure_started(nullptr);
  watch.watch(0);
  (void)expiries.await(4);
}

// Letting go of an expired request may let go of the engine, and so of the watch.
TEST(DeadlineWatchThreadTest, MayBeStoppedAndDestroyedByItsOwnThread) {
  struct Owner {
    Expiries expiries;
    std::shared_ptr<Owner> handle;
    std::shared_ptr<void> gone;  // let go of last
    DeadlineWatch watch{[this] {
      const int64_t left = expiries();
      watch.stop();
      handle.reset();
      return left;
    }};
  };
  Mutex mutex;
  CondVar changed;
  bool gone = false;
  auto owner = std::make_shared<Owner>();
  owner->handle = owner;
  owner->gone = std::shared_ptr<void>(nullptr, [&](void*) {
    MutexLock lock(mutex);
    gone = true;
    changed.notify_all();
  });
  owner->watch.ensure_started(owner);
  owner->watch.watch(0);
  owner.reset();
  MutexLock lock(mutex);
  while (!gone) changed.wait(mutex);
}

}  // namespace
}  // namespace inferometer
