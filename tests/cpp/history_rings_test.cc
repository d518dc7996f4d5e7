#include "telemetry/record/history_rings.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace inferometer {
namespace {

constexpr size_t kRingSamples = 4;

std::string labels(const std::string& model) { return "model_name=\"" + model + "\""; }

void push(HistoryRing* ring, uint64_t tick) {
  ring->reserve();
  ring->push(tick, std::array<double, 1>{1});
}

TEST(HistoryRingsTest, OneRingASeries) {
  HistoryRings rings(kRingSamples, 1 << 20);
  const std::string a = labels("a");
  HistoryRing* const ring = rings.get(Metric::kQueueDepth, a, 1);
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, a, 1), ring);
  EXPECT_EQ(rings.find(Metric::kQueueDepth, a), ring);
  EXPECT_NE(rings.get(Metric::kQueueLimit, a, 1), ring);
  EXPECT_EQ(rings.find(Metric::kInFlight, a), nullptr);
  EXPECT_EQ(rings.size(), 2U);
  EXPECT_EQ(rings.of(Metric::kQueueDepth).size(), 1U);
}

TEST(HistoryRingsTest, WhatDoesNotFitIsNotKept) {
  const std::string a = labels("a");
  const std::string b = labels("b");
  const std::string c = labels("c");
  const size_t one = HistoryRing::bytes(a, 1, kRingSamples);
  HistoryRings rings(kRingSamples, 2 * one);
  EXPECT_NE(rings.get(Metric::kQueueDepth, a, 1), nullptr);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, c, 25), nullptr) << "too wide";
  EXPECT_NE(rings.get(Metric::kQueueDepth, b, 1), nullptr);
  EXPECT_EQ(rings.bytes(), 2 * one);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, c, 1), nullptr);
  EXPECT_NE(rings.get(Metric::kQueueDepth, a, 1), nullptr) << "it is there already";
  EXPECT_EQ(rings.bytes(), 2 * one);
  EXPECT_EQ(rings.size(), 2U);
}

TEST(HistoryRingsTest, ForgettingMakesRoom) {
  const std::string a = labels("a");
  const std::string b = labels("b");
  HistoryRings rings(kRingSamples, HistoryRing::bytes(a, 1, kRingSamples));
  push(rings.get(Metric::kQueueDepth, a, 1), 0);
  rings.forget(kRingSamples);
  EXPECT_EQ(rings.size(), 1U) << "tick 0 is still among the last four";
  EXPECT_EQ(rings.get(Metric::kQueueDepth, b, 1), nullptr);
  rings.forget(kRingSamples + 1);
  EXPECT_EQ(rings.size(), 0U);
  EXPECT_EQ(rings.bytes(), 0U);
  EXPECT_NE(rings.get(Metric::kQueueDepth, b, 1), nullptr);
}

}  // namespace
}  // namespace inferometer
