#include "telemetry/record/histogram_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

using Bounds = std::span<const int64_t>;

TEST(HistogramCellsTest, AValueOnABoundBelongsToThatBucket) {
  const Bounds bounds = kLatencyBounds;
  for (size_t i = 0; i < bounds.size(); ++i) {
    EXPECT_EQ(bucket_index(bounds, bounds[i] - 1), i);
    EXPECT_EQ(bucket_index(bounds, bounds[i]), i);
    EXPECT_EQ(bucket_index(bounds, bounds[i] + 1), i + 1);
  }
  EXPECT_EQ(bucket_index(bounds, std::numeric_limits<int64_t>::min()), 0U);
  EXPECT_EQ(bucket_index(bounds, std::numeric_limits<int64_t>::max()), bounds.size());
}

TEST(HistogramCellsTest, AgreesWithLowerBoundForAnyNumberOfBounds) {
  for (size_t count = 0; count <= 70; ++count) {
    std::vector<int64_t> bounds;
    bounds.reserve(count);
    for (size_t i = 0; i < count; ++i) bounds.push_back(static_cast<int64_t>(3 * i + 10));
    for (int64_t value = 5; value < static_cast<int64_t>(3 * count + 15); ++value) {
      const auto expected = std::ranges::lower_bound(bounds, value) - bounds.begin();
      ASSERT_EQ(bucket_index(Bounds(bounds), value), static_cast<size_t>(expected));
    }
  }
}

TEST(HistogramCellsTest, BothRecordersFillBucketsAndSum) {
  std::vector<Word> single(kBatchSizeBounds.size() + 2);
  std::vector<Word> shared(kBatchSizeBounds.size() + 2);
  for (const int64_t value : {1, 2, 3, 3, 1024, 5000}) {
    observe_single_writer(single.data(), kBatchSizeBounds, value);
    observe_shared(shared.data(), kBatchSizeBounds, value);
  }
  const std::vector<uint64_t> expected = {1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 6033};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(single[i].load(), expected[i]) << i;
    EXPECT_EQ(shared[i].load(), expected[i]) << i;
  }
}

}  // namespace
}  // namespace inferometer
