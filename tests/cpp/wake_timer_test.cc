#include "exposition/wake_timer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>

namespace inferometer {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

bool readable(int fd, int timeout_ms = 0) {
  pollfd events{fd, POLLIN, 0};
  return poll(&events, 1, timeout_ms) == 1;
}

TEST(WakeTimerTest, WakesAtTheEarliestMomentUntilItIsCleared) {
  WakeTimer timer;
  const WakeTimer::Time now = std::chrono::steady_clock::now();
  EXPECT_FALSE(readable(timer.fd()));
  timer.wake_by(now + hours(1));
  EXPECT_FALSE(readable(timer.fd()));
  timer.wake_by(now + milliseconds(1));
  timer.wake_by(now + hours(2));
  EXPECT_TRUE(readable(timer.fd(), 30'000));
  timer.clear();
  EXPECT_FALSE(readable(timer.fd()));
  timer.wake_by(WakeTimer::Time::max());
  EXPECT_FALSE(readable(timer.fd()));
  timer.wake_by(WakeTimer::Time{});  // past
  EXPECT_TRUE(readable(timer.fd(), 30'000));
  timer.clear();
  EXPECT_FALSE(readable(timer.fd()));
  close(timer.fd());
}

}  // namespace
}  // namespace inferometer
