#include "serving/own_time.h"

#include <gtest/gtest.h>

#include <vector>

namespace inferometer {
namespace {

/// A reading costs 4 ns, half of it before the instant that it reports. Single-owner.
class CostlyClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override {
    now_ += 4;
    ++reads_;
    return now_ - 2;
  }
  void advance(int64_t ns) { now_ += ns; }
  [[nodiscard]] int64_t now() const { return now_; }
  [[nodiscard]] int64_t reads() const { return reads_; }

 private:
  mutable int64_t now_ = 0;
  mutable int64_t reads_ = 0;
};

TEST(OwnTimeTest, ALargeBatchIsTimedExactly) {
  CostlyClock clock;
  OwnTime own(clock);
  const int64_t start = clock.now();
  const OwnTime::Stretch stretch = own.begin_batch(OwnTime::kLargeBatch);
  EXPECT_EQ(stretch.weight, 1U);
  clock.advance(100);
  EXPECT_EQ(own.end(stretch), 100U + 2 * 4);
  EXPECT_EQ(clock.now() - start, 100 + 2 * 4);
}

TEST(OwnTimeTest, SmallBatchesAreSampled) {
  CostlyClock clock;
  OwnTime own(clock);
  const int64_t reads = clock.reads();
  constexpr int kBatches = 16'000;
  int timed = 0;
  for (int i = 0; i < kBatches; ++i) {
    const OwnTime::Stretch stretch = own.begin_batch(1 + static_cast<size_t>(i) % 63);
    if (stretch.weight == 0) {
      EXPECT_EQ(own.end(stretch), 0U);
      continue;
    }
    EXPECT_EQ(stretch.weight, OwnTime::kSmallPeriod);
    ++timed;
    clock.advance(10);
    EXPECT_EQ(own.end(stretch), 16U * 10 + 2 * 4);
  }
  EXPECT_EQ(clock.reads() - reads, 2 * timed);
  // 1,000 on average, with a standard deviation of 31; the draws are the same in every run.
  EXPECT_NEAR(timed, 1000, 100);
}

// The total is right for traffic that repeats itself every 16 batches, with one dear batch in each.
TEST(OwnTimeTest, NoPatternFallsIntoStep) {
  CostlyClock clock;
  OwnTime own(clock);
  const int64_t start = clock.now();
  uint64_t counted = 0;
  for (int i = 0; i < 320'000; ++i) {
    const OwnTime::Stretch stretch = own.begin_batch(1);
    clock.advance(i % 16 == 0 ? 1000 : 10);
    counted += own.end(stretch);
  }
  const auto spent = static_cast<double>(clock.now() - start);
  EXPECT_NEAR(static_cast<double>(counted) / spent, 1.0, 0.1);
}

TEST(OwnTimeTest, AClockThatStandsStillMeasuresNothing) {
  struct Still final : Clock {
    [[nodiscard]] int64_t now_ns() const noexcept override { return 5; }
  } clock;
  OwnTime own(clock);
  EXPECT_EQ(own.end(own.begin_batch(1000)), 0U);
  EXPECT_EQ(own.end({}), 0U);
}

}  // namespace
}  // namespace inferometer
