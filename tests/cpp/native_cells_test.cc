#include "telemetry/record/native_cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/non_finite.h"
#include "inferometer/errors.h"
#include "storage_under_test.h"

namespace inferometer {
namespace {

NativeReading read(const NativeCells& cells, int schema = kDefaultNativeSchema) {
  NativeReading reading(schema);
  cells.read_into(reading);
  return reading;
}

TEST(NativeCellsTest, CountsOfEverySignAndSize) {
  NativeCells cells(make_storage(), kDefaultNativeSchema);
  for (const double value : {1.0, 1.0, 2.0, -1.0, 0.0, -0.0, 0x1p-128, 0x1.8p-128, 1e300, kInfinity,
                             -kInfinity, kNan, 5e-324}) {
    cells.observe_shared(value);
  }
  const NativeReading reading = read(cells);
  EXPECT_EQ(reading.count(), 13U);
  const NativeHistogramView view = reading.view();
  EXPECT_EQ(view.zero_count, 4U) << "0, -0, the threshold and what is below it";
  ASSERT_EQ(view.negative.size(), 2U);
  EXPECT_EQ(view.negative[0], (std::pair<int32_t, uint64_t>(0, 1)));
  EXPECT_EQ(view.negative[1].first, 1024 * 8 + 1);
  ASSERT_EQ(view.positive.size(), 5U);
  EXPECT_EQ(view.positive[1], (std::pair<int32_t, uint64_t>(0, 2)));
  EXPECT_EQ(view.positive[2], (std::pair<int32_t, uint64_t>(8, 1)));
}

TEST(NativeCellsTest, TheLimitHalvesTheResolutionAndKeepsCounts) {
  NativeCells cells(make_storage(), kDefaultNativeSchema);
  std::map<int32_t, uint64_t> at_schema_0;
  for (int i = 0; i < 2000; ++i) {
    const double value = std::exp2(i * 0.02 - 20);
    cells.observe_single_writer(value);
    ++at_schema_0[native_bucket_index(value, 0)];
  }
  NativeReading reading = read(cells);
  reading.limit_buckets(160);
  EXPECT_EQ(reading.view().schema, 1);
  EXPECT_LE(reading.view().positive.size(), 160U);
  reading.limit_buckets(50);
  EXPECT_EQ(reading.view().schema, 0);
  const auto buckets = reading.view().positive;
  EXPECT_EQ((std::map<int32_t, uint64_t>(buckets.begin(), buckets.end())), at_schema_0);
  reading.limit_buckets(0);
  EXPECT_EQ(reading.view().schema, kMinNativeSchema) << "it cannot get coarser";
  EXPECT_EQ(reading.count(), 2000U);
}

TEST(NativeCellsTest, EverySchemaCounts) {
  for (int schema = kMinNativeSchema; schema <= kMaxNativeSchema; ++schema) {
    NativeCells cells(make_storage(), schema);
    for (const double value : {5e-324, 1e-300, 1e-40, 0.3, 7.0, 1e300, kInfinity}) {
      cells.observe_shared(value);
      cells.observe_shared(-value);
    }
    const NativeReading reading = read(cells, schema);
    uint64_t total = reading.view().zero_count;
    for (const auto& [index, count] : reading.view().positive) total += count;
    for (const auto& [index, count] : reading.view().negative) total += count;
    EXPECT_EQ(total, 14U) << schema;
  }
}

TEST(NativeCellsTest, AbsorbingMovesEverything) {
  const auto shared = make_storage();
  NativeCells into(shared, kDefaultNativeSchema);
  NativeCells from(shared, kDefaultNativeSchema);
  for (const double value : {1.0, -3.0, 0.0, kNan}) from.observe_shared(value);
  into.observe_shared(1.0);
  into.absorb(from);
  const NativeReading reading = read(into);
  EXPECT_EQ(reading.count(), 5U);
  EXPECT_EQ(reading.view().positive[0].second, 2U);
  EXPECT_EQ(reading.view().negative.size(), 1U);
}

TEST(NativeCellsTest, AFullArenaCountsInTheNearestBucket) {
  const auto small = make_storage(100, 1024 * sizeof(Word));
  NativeCells cells(small, kDefaultNativeSchema);
  cells.reserve(1.0, 1.0);
  while (true) {  // fill it up
    try {
      (void)small->arena.allocate(8);
    } catch (const ConfigError&) {
      break;
    }
  }
  EXPECT_THROW(cells.reserve(1e-9, 1e9), ConfigError);
  for (const double value : {1.0, 1e-30, 1e30, -1.0}) cells.observe_shared(value);
  const NativeReading reading = read(cells);
  EXPECT_EQ(reading.count(), 4U) << "nothing is lost";
  EXPECT_EQ(reading.view().positive.size(), 3U);
  EXPECT_EQ(reading.view().zero_count, 1U) << "no negative page at all";
}

TEST(NativeCellsTest, GivesItsWordsBack) {
  const auto shared = make_storage();
  const size_t before = shared->arena.used_words();
  {
    NativeCells cells(shared, kDefaultNativeSchema);
    for (const double value : {1e-9, 1.0, 1e9, -1.0}) cells.observe_shared(value);
    EXPECT_GT(shared->arena.used_words(), before);
  }
  EXPECT_EQ(shared->arena.used_words(), before);
}

// Two writers enter the same pages at once while a reader looks: nothing is lost or seen twice.
TEST(NativeCellsTest, WritersAndAReader) {
  constexpr int kRounds = 20'000;
  NativeCells cells(make_storage(), kDefaultNativeSchema);
  const auto write = [&cells] {
    for (int i = 0; i < kRounds; ++i) cells.observe_shared(std::exp2(i % 200 - 100));
  };
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i) writers.emplace_back(write);
  uint64_t last = 0;
  while (last < kRounds / 2) {
    const uint64_t now = read(cells).count();
    EXPECT_GE(now, last);
    last = now;
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(read(cells).count(), 2U * kRounds);
}

}  // namespace
}  // namespace inferometer
