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
  const OwnTime own(clock);
  Word random{0};
  const int64_t start = clock.now();
  const OwnTime::Stretch stretch = own.begin_batch(random, OwnTime::kLargeBatch);
  EXPECT_EQ(stretch.weight, 1U);
  clock.advance(100);
  EXPECT_EQ(own.end(stretch), 100U + 2 * 4);
  EXPECT_EQ(clock.now() - start, 100 + 2 * 4);
}

TEST(OwnTimeTest, SmallBatchesAreSampled) {
  CostlyClock clock;
  const OwnTime own(clock);
  Word random{0};
  const int64_t reads = clock.reads();
  constexpr int kBatches = 16'000;
  int timed = 0;
  for (int i = 0; i < kBatches; ++i) {
    const OwnTime::Stretch stretch = own.begin_batch(random, 1 + static_cast<size_t>(i) % 63);
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

TEST(OwnTimeTest, AWritersDiceMayStartFromAnything) {
  CostlyClock clock;
  const OwnTime own(clock);
  for (const uint64_t start : {uint64_t{0}, uint64_t{1}, uint64_t{12345}, ~uint64_t{0}}) {
    Word random{start};
    int timed = 0;
    for (int i = 0; i < 16'000; ++i) timed += own.begin_batch(random, 1).weight > 0 ? 1 : 0;
    EXPECT_NEAR(timed, 1000, 100) << start;
  }
}

// The total is right for traffic that repeats itself every 16 batches, with one dear batch in each.
TEST(OwnTimeTest, NoPatternFallsIntoStep) {
  CostlyClock clock;
  const OwnTime own(clock);
  Word random{0};
  const int64_t start = clock.now();
  uint64_t counted = 0;
  for (int i = 0; i < 320'000; ++i) {
    const OwnTime::Stretch stretch = own.begin_batch(random, 1);
    clock.advance(i % 16 == 0 ? 1000 : 10);
    counted += own.end(stretch);
  }
  const auto spent = static_cast<double>(clock.now() - start);
  EXPECT_NEAR(static_cast<double>(counted) / spent, 1.0, 0.1);
}

// Also if it is told to move on in the middle of a stretch.
TEST(OwnTimeTest, AVirtualClockMeasuresNothing) {
  struct Virtual final : Clock {
    [[nodiscard]] int64_t now_ns() const noexcept override { return now; }
    int64_t now = 5;
  } clock;
  const OwnTime own(clock);
  Word random{0};
  const OwnTime::Stretch batch = own.begin_batch(random, 1000);
  const OwnTime::Stretch call = own.begin(64);
  clock.now += 1'000'000;
  EXPECT_EQ(own.end(batch), 0U);
  EXPECT_EQ(own.end(call), 0U);
  EXPECT_EQ(own.end({}), 0U);
}

}  // namespace
}  // namespace inferometer
