#include "telemetry/record/history_rings.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace inferometer {
namespace {

constexpr size_t kSamples = 4;

// Labels with the text they are kept under. Single-owner.
struct Labels {
  explicit Labels(const std::string& model)
      : text("model_name=\"" + model + "\""), names{"model_name"}, values{model} {}
  [[nodiscard]] LabelsView view() const { return {text, names, values}; }

  const std::string text;
  const std::vector<std::string> names;
  const std::vector<std::string> values;
};

void push(HistoryRing* ring, uint64_t tick) {
  ring->reserve();
  ring->push(tick, std::array<double, 1>{1});
}

TEST(HistoryRingsTest, OneRingASeries) {
  HistoryRings rings(kSamples, 1 << 20);
  const Labels a("a");
  HistoryRing* const ring = rings.get(Metric::kQueueDepth, a.view(), 1);
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, a.view(), 1), ring);
  EXPECT_EQ(rings.find(Metric::kQueueDepth, a.text), ring);
  EXPECT_NE(rings.get(Metric::kQueueLimit, a.view(), 1), ring);
  EXPECT_EQ(rings.find(Metric::kInFlight, a.text), nullptr);
  EXPECT_EQ(rings.size(), 2U);
  EXPECT_EQ(rings.of(Metric::kQueueDepth).size(), 1U);
}

TEST(HistoryRingsTest, WhatDoesNotFitIsNotKept) {
  const Labels a("a");
  const Labels b("b");
  const Labels c("c");
  const size_t one = HistoryRing::bytes(a.view(), 1, kSamples);
  HistoryRings rings(kSamples, 2 * one);
  EXPECT_NE(rings.get(Metric::kQueueDepth, a.view(), 1), nullptr);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, c.view(), 25), nullptr) << "too wide";
  EXPECT_NE(rings.get(Metric::kQueueDepth, b.view(), 1), nullptr);
  EXPECT_EQ(rings.bytes(), 2 * one);
  EXPECT_EQ(rings.get(Metric::kQueueDepth, c.view(), 1), nullptr);
  EXPECT_NE(rings.get(Metric::kQueueDepth, a.view(), 1), nullptr) << "it is there already";
  EXPECT_EQ(rings.bytes(), 2 * one);
  EXPECT_EQ(rings.size(), 2U);
}

TEST(HistoryRingsTest, ForgettingMakesRoom) {
  const Labels a("a");
  const Labels b("b");
  HistoryRings rings(kSamples, HistoryRing::bytes(a.view(), 1, kSamples));
  push(rings.get(Metric::kQueueDepth, a.view(), 1), 0);
  rings.forget(kSamples);
  EXPECT_EQ(rings.size(), 1U) << "tick 0 is still among the last four";
  EXPECT_EQ(rings.get(Metric::kQueueDepth, b.view(), 1), nullptr);
  rings.forget(kSamples + 1);
  EXPECT_EQ(rings.size(), 0U);
  EXPECT_EQ(rings.bytes(), 0U);
  EXPECT_NE(rings.get(Metric::kQueueDepth, b.view(), 1), nullptr);
}

}  // namespace
}  // namespace inferometer
