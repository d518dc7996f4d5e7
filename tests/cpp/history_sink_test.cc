#include "telemetry/record/history_sink.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/record/histogram_cells.h"
#include "telemetry/record/registry_core.h"

namespace inferometer {
namespace {

constexpr size_t kSinkSamples = 8;
constexpr size_t kOwnSeries = 3;  // what every registry says about itself

class HistorySinkTest : public testing::Test {
 protected:
  std::shared_ptr<Series> series(Metric metric, std::string_view model) {
    return registry_.family(metric).get({&model, 1});
  }
  void sample(HistorySink& sink) {
    sink.begin();
    registry_.visit_catalogue(sink);
    sink.commit(tick_++);
  }
  void sample() { sample(sink_); }
  double at(Metric metric, const std::string& model, uint64_t tick, size_t column = 0) {
    const HistoryRing* const ring = rings_.find(metric, "model_name=\"" + model + "\"");
    return ring == nullptr ? -1 : ring->at(tick, column);
  }

  RegistryCore registry_{RegistryOptions{}};
  HistoryRings rings_{kSinkSamples, 1 << 20};
  HistorySink sink_{rings_};
  uint64_t tick_ = 0;
};

TEST_F(HistorySinkTest, ScalarsAndHistograms) {
  const auto depth = series(Metric::kQueueDepth, "a");
  const auto rows = series(Metric::kBatchSize, "a");
  add_shared(*depth->base(), 7);
  sample();
  for (const int64_t value : {1, 2, 2, 5000}) {
    observe_shared(rows->base(), kBatchSizeBounds, value);
  }
  sample();
  EXPECT_EQ(sink_.kept(), kOwnSeries + 2);
  EXPECT_EQ(at(Metric::kQueueDepth, "a", 1), 7);
  const std::vector<double> cumulative{1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4};
  for (size_t i = 0; i < cumulative.size(); ++i) {
    EXPECT_EQ(at(Metric::kBatchSize, "a", 0, i), 0) << i;
    EXPECT_EQ(at(Metric::kBatchSize, "a", 1, i), cumulative[i]) << i;
  }
  EXPECT_EQ(at(Metric::kBatchSize, "a", 1, cumulative.size()), 5005);
}

TEST_F(HistorySinkTest, SeriesThatComeAndGoKeepTheirOwnRows) {
  const auto a = series(Metric::kQueueDepth, "a");
  auto b = series(Metric::kQueueDepth, "b");
  const auto c = series(Metric::kQueueDepth, "c");
  add_shared(*a->base(), 1);
  add_shared(*b->base(), 2);
  add_shared(*c->base(), 3);
  sample();
  b.reset();
  sample();
  const auto d = series(Metric::kQueueDepth, "d");
  b = series(Metric::kQueueDepth, "b");
  add_shared(*d->base(), 4);
  sample();
  for (uint64_t tick = 0; tick < 3; ++tick) {
    EXPECT_EQ(at(Metric::kQueueDepth, "a", tick), 1);
    EXPECT_EQ(at(Metric::kQueueDepth, "c", tick), 3);
  }
  EXPECT_EQ(at(Metric::kQueueDepth, "b", 0), 2);
  EXPECT_TRUE(std::isnan(at(Metric::kQueueDepth, "b", 1)));
  EXPECT_EQ(at(Metric::kQueueDepth, "b", 2), 0) << "a new series of the old name";
  EXPECT_TRUE(std::isnan(at(Metric::kQueueDepth, "d", 1)));
  EXPECT_EQ(at(Metric::kQueueDepth, "d", 2), 4);
}

TEST_F(HistorySinkTest, WhatHasNoRoomIsLeftOutAndTheRestIsRight) {
  const auto depth = series(Metric::kQueueDepth, "a");
  const auto limit = series(Metric::kQueueLimit, "a");
  const auto rows = series(Metric::kBatchSize, "a");  // first in the walk, and wide
  add_shared(*depth->base(), 1);
  add_shared(*limit->base(), 2);
  HistoryRings few(kSinkSamples, HistoryRing::bytes(depth->labels(), 1, kSinkSamples) * 2 + 8);
  HistorySink sink(few);
  sample(sink);
  EXPECT_EQ(sink.kept(), 2U);
  EXPECT_EQ(sink.left_out(), 1 + kOwnSeries);
  EXPECT_EQ(few.find(Metric::kBatchSize, "model_name=\"a\""), nullptr);
  sample(sink);
  EXPECT_EQ(sink.left_out(), 1 + kOwnSeries) << "of this walk, not of all";
  EXPECT_EQ(few.find(Metric::kQueueDepth, "model_name=\"a\"")->at(1, 0), 1);
  EXPECT_EQ(few.find(Metric::kQueueLimit, "model_name=\"a\"")->at(1, 0), 2);
}

TEST_F(HistorySinkTest, WithoutMemoryNothingIsStored) {
  HistoryRings endless(size_t{1} << 60U, std::numeric_limits<size_t>::max());
  HistorySink sink(endless);
  sink.begin();
  registry_.visit_catalogue(sink);
  ASSERT_EQ(sink.kept(), 1U);
  EXPECT_THROW(sink.commit(0), std::bad_alloc);
  for (const Metric metric : {Metric::kDroppedSeries, Metric::kCollectorErrors}) {
    const HistoryRing* const ring = endless.find(metric, "");
    EXPECT_TRUE(ring == nullptr || std::isnan(ring->at(0, 0)));
  }
}

TEST_F(HistorySinkTest, FamiliesThatAreNotTheCataloguesAreIgnored) {
  registry_.attach(std::make_shared<CellFamily>(CellSpec{CellType::kGauge, "level", "", "", {}},
                                                registry_.storage()));
  sink_.begin();
  registry_.visit(sink_);  // shows the application's families too
  sink_.commit(0);
  EXPECT_EQ(sink_.kept(), kOwnSeries);
  EXPECT_EQ(sink_.left_out(), 0U);
}

}  // namespace
}  // namespace inferometer
