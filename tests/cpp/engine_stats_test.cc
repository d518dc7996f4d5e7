#include "serving/engine_stats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace inferometer {
namespace {

const std::vector<int64_t> kBounds = {10, 20, 40};

TEST(EngineStatsTest, InterpolatesWithinABucket) {
  const std::vector<uint64_t> buckets = {0, 4, 0, 0};
  EXPECT_DOUBLE_EQ(bucket_quantile(kBounds, buckets, 0.5), 15);
  EXPECT_DOUBLE_EQ(bucket_quantile(kBounds, buckets, 1.0), 20);
}

TEST(EngineStatsTest, CrossesBuckets) {
  const std::vector<uint64_t> buckets = {2, 0, 2, 0};
  EXPECT_DOUBLE_EQ(bucket_quantile(kBounds, buckets, 0.25), 5);
  EXPECT_DOUBLE_EQ(bucket_quantile(kBounds, buckets, 0.75), 30);
}

TEST(EngineStatsTest, BeyondTheLastBoundIsTheLastBound) {
  EXPECT_DOUBLE_EQ(bucket_quantile(kBounds, std::vector<uint64_t>{0, 0, 0, 3}, 0.99), 40);
}

TEST(EngineStatsTest, NothingObservedIsNaN) {
  EXPECT_TRUE(std::isnan(bucket_quantile(kBounds, std::vector<uint64_t>{0, 0, 0, 0}, 0.5)));
}

TEST(EngineStatsTest, ConvertsUnits) {
  RecordedTotals totals;
  totals.latency.buckets.assign(kLatencyBounds.size() + 1, 0);
  totals.queue = totals.compute = totals.latency;
  totals.batch_size.buckets.assign(kBatchSizeBounds.size() + 1, 0);
  totals.latency.buckets[0] = 2;
  totals.latency.sum = 30'000;
  totals.batch_size.buckets[1] = 1;
  totals.batch_size.sum = 2;
  totals.busy_ns = 1'500'000'000;
  EngineStats stats;
  fill_recorded(stats, totals);
  EXPECT_TRUE(stats.recording);
  EXPECT_EQ(stats.latency.count, 2U);
  EXPECT_DOUBLE_EQ(stats.latency.mean, 15e-6);
  EXPECT_DOUBLE_EQ(stats.batch_size.mean, 2);
  EXPECT_DOUBLE_EQ(stats.busy_seconds, 1.5);
  EXPECT_TRUE(std::isnan(stats.queue.mean));
}

}  // namespace
}  // namespace inferometer
