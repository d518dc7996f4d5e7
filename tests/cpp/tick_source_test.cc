#include "base/tick_source.h"

#include <gtest/gtest.h>

#include "inferometer/clock.h"

namespace inferometer {
namespace {

TEST(TickSourceTest, MeasuresAsTheClockDoes) {
  const TickSource ticks;
  const int64_t outer = ticks.now();
  const int64_t clock_begin = steady_clock().now_ns();
  const int64_t inner = ticks.now();
  while (steady_clock().now_ns() < clock_begin + 5'000'000) {
  }
  const int64_t inside = ticks.between_ns(inner, ticks.now());
  const int64_t by_clock = steady_clock().now_ns() - clock_begin;
  const int64_t around = ticks.between_ns(outer, ticks.now());
  // Whatever interrupts it: the one is within, the other around. A tick is known to 0.1 % or
  // better.
  EXPECT_LE(inside, by_clock + by_clock / 1000);
  EXPECT_GE(around, by_clock - by_clock / 1000);
}

TEST(TickSourceTest, NothingTakesNoTime) {
  const TickSource ticks;
  const int64_t now = ticks.now();
  EXPECT_EQ(ticks.between_ns(now, now), 0);
}

}  // namespace
}  // namespace inferometer
