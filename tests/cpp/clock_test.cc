#include "inferometer/clock.h"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>

namespace inferometer {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

// Deadlines are handed to the kernel as CLOCK_MONOTONIC times.
TEST(ClockTest, TheSteadyClockIsTheMonotonicOne) {
  const int64_t before = monotonic_ns();
  const int64_t now = steady_clock().now_ns();
  EXPECT_LE(before, now);
  EXPECT_LE(now, monotonic_ns());
}

TEST(ClockTest, RoundsSecondsToNanoseconds) {
  EXPECT_EQ(seconds_to_ns(0), 0);
  EXPECT_EQ(seconds_to_ns(1.5), 1'500'000'000);
  EXPECT_EQ(seconds_to_ns(-0.25), -250'000'000);
  EXPECT_EQ(seconds_to_ns(0.1), 100'000'000);
  EXPECT_EQ(seconds_to_ns(1.6e-9), 2);
  EXPECT_EQ(seconds_to_ns(1.4e-9), 1);
}

TEST(ClockTest, ClampsWhatDoesNotFit) {
  EXPECT_EQ(seconds_to_ns(1e300), kMax);
  EXPECT_EQ(seconds_to_ns(9.3e9), kMax);
  EXPECT_EQ(seconds_to_ns(std::numeric_limits<double>::infinity()), kMax);
  EXPECT_EQ(seconds_to_ns(-1e300), -kMax);
  EXPECT_EQ(seconds_to_ns(-std::numeric_limits<double>::infinity()), -kMax);
  EXPECT_EQ(seconds_to_ns(std::numeric_limits<double>::quiet_NaN()), 0);
}

TEST(ClockTest, NanosecondsToSeconds) {
  EXPECT_DOUBLE_EQ(ns_to_seconds(1'500'000'000), 1.5);
  EXPECT_DOUBLE_EQ(ns_to_seconds(-1), -1e-9);
}

}  // namespace
}  // namespace inferometer
