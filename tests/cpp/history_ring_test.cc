#include "telemetry/record/history_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace inferometer {
namespace {

using Row = std::array<double, 2>;

class HistoryRingTest : public testing::Test {
 protected:
  HistoryRingTest() { ring_.reserve(); }

  void push(uint64_t tick) {
    const auto value = static_cast<double>(tick);
    ring_.push(tick, Row{value, -value});
  }
  // The first column of the last four ticks before `now`.
  std::vector<std::optional<double>> window(uint64_t now) {
    std::vector<std::optional<double>> values;
    for (uint64_t tick = now < 4 ? 0 : now - 4; tick < now; ++tick) {
      const double value = ring_.at(tick, 0);
      const double second = ring_.at(tick, 1);
      EXPECT_TRUE(std::isnan(value) ? std::isnan(second) : second == -value) << tick;
      values.push_back(std::isnan(value) ? std::nullopt : std::optional(value));
    }
    return values;
  }

  const std::string labels_ = "model_name=\"a\"";
  HistoryRing ring_{Metric::kQueueDepth, labels_, 2, 4};
};

using Values = std::vector<std::optional<double>>;

TEST_F(HistoryRingTest, KnowsItsSeries) {
  EXPECT_EQ(ring_.metric(), Metric::kQueueDepth);
  EXPECT_EQ(ring_.label_text(), "model_name=\"a\"");
  EXPECT_EQ(ring_.width(), 2U);
}

TEST_F(HistoryRingTest, WrapsAround) {
  push(1);
  push(2);
  EXPECT_EQ(window(3), (Values{std::nullopt, 1, 2}));
  for (uint64_t tick = 3; tick < 100; ++tick) push(tick);
  EXPECT_EQ(window(100), (Values{96, 97, 98, 99}));
}

TEST_F(HistoryRingTest, ASeriesThatVanishesKeepsItsPastUntilItFallsOut) {
  for (uint64_t tick = 0; tick < 6; ++tick) push(tick);
  EXPECT_EQ(window(8), (Values{4, 5, std::nullopt, std::nullopt}));
  EXPECT_FALSE(ring_.empty_at(9));
  EXPECT_EQ(window(9), (Values{5, std::nullopt, std::nullopt, std::nullopt}));
  EXPECT_TRUE(ring_.empty_at(10));
  EXPECT_EQ(window(10), (Values{std::nullopt, std::nullopt, std::nullopt, std::nullopt}));
}

TEST_F(HistoryRingTest, ASeriesThatComesBackHasAGap) {
  for (uint64_t tick = 0; tick < 6; ++tick) push(tick);
  push(8);
  EXPECT_EQ(window(9), (Values{5, std::nullopt, std::nullopt, 8}));
  push(9);
  EXPECT_EQ(window(10), (Values{std::nullopt, std::nullopt, 8, 9}));
}

TEST_F(HistoryRingTest, WhatCameBackLateShowsNothingOfItsOldPast) {
  for (uint64_t tick = 0; tick < 4; ++tick) push(tick);
  push(50);
  EXPECT_EQ(window(51), (Values{std::nullopt, std::nullopt, std::nullopt, 50}));
  push(53);
  EXPECT_EQ(window(54), (Values{50, std::nullopt, std::nullopt, 53}));
}

TEST_F(HistoryRingTest, BytesCountRowsAndTexts) {
  EXPECT_EQ(ring_.bytes(), HistoryRing::bytes(labels_, 2, 4));
  const size_t row = HistoryRing::bytes(labels_, 2, 5) - ring_.bytes();
  EXPECT_EQ(row, 2 * sizeof(double));
  EXPECT_GT(HistoryRing::bytes(labels_ + "a", 2, 4), ring_.bytes());
}

}  // namespace
}  // namespace inferometer
