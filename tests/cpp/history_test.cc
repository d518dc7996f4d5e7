#include "inferometer/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "error_text.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::string options_error(const HistoryOptions& options) {
  return error_of([&] { (void)options.samples(); });
}

TEST(HistoryTest, AQuarterOfAnHourAtOneSecondByDefault) {
  EXPECT_EQ(HistoryOptions{}.samples(), 900U);
}

TEST(HistoryTest, SamplesAreWholeIntervalsRoundedUp) {
  EXPECT_EQ((HistoryOptions{.seconds = 0.3, .interval_seconds = 0.1}).samples(), 3U);
  EXPECT_EQ((HistoryOptions{.seconds = 1.1, .interval_seconds = 0.1}).samples(), 11U);
  EXPECT_EQ((HistoryOptions{.seconds = 2.5, .interval_seconds = 1}).samples(), 3U);
  EXPECT_EQ((HistoryOptions{.seconds = 1, .interval_seconds = 1}).samples(), 1U);
  EXPECT_EQ((HistoryOptions{.seconds = 3600.0 * 100'000, .interval_seconds = 3600}).samples(),
            100'000U);
}

TEST(HistoryTest, AnIntervalOutOfRangeIsRefused) {
  EXPECT_EQ(options_error({.interval_seconds = 0}),
            "history interval: got 0.0 s, want 0.01 to 3600.0");
  for (const double interval :
       {-1.0, 0.009, 3601.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_NE(options_error({.seconds = 7200, .interval_seconds = interval}), "") << interval;
  }
}

TEST(HistoryTest, SecondsOutOfRangeAreRefused) {
  EXPECT_EQ(options_error({.seconds = -5}),
            "history seconds: got -5.0, want 1.0 to 100000.0 (1 to 100000 samples at this "
            "interval)");
  for (const double seconds :
       {0.0, 0.5, 100'001.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_NE(options_error({.seconds = seconds}), "") << seconds;
  }
}

TEST(HistoryTest, MemoryTooSmallForTheTimesIsRefused) {
  EXPECT_EQ(options_error({.max_bytes = 14'399}),
            "history max_bytes: got 14399, want 14400 or more (the times of 900 samples)");
  EXPECT_EQ(options_error({.max_bytes = 14'400}), "");
  EXPECT_NE(options_error({.max_bytes = -1}), "");
}

}  // namespace
}  // namespace inferometer
