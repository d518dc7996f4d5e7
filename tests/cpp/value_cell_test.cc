#include "telemetry/cells/value_cell.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/non_finite.h"
#include "inferometer/clock.h"

namespace inferometer {
namespace {

std::shared_ptr<ValueCell> cell(CellType type, std::vector<double> bounds = {},
                                bool native = false) {
  CellSpec spec;
  spec.type = type;
  if (!bounds.empty()) spec.bounds = CellBounds::of(std::move(bounds));
  spec.native_histograms = native;
  return std::make_shared<ValueCell>(std::make_shared<const CellSpec>(std::move(spec)), "a=\"b\"",
                                     std::make_shared<Storage>(1 << 20, 10));
}

void observe(ValueCell& histogram, double value) {
  histogram.observe_in(histogram.bucket_of(value), value);
}

TEST(ValueCellTest, IsSmall) { EXPECT_LE(sizeof(ValueCell), 72U); }

TEST(ValueCellTest, KeepsLabelsAndTheTimeOfItsMaking) {
  const double before = static_cast<double>(wall_clock().now_ns()) / 1e9;
  const auto counter = cell(CellType::kCounter);
  EXPECT_EQ(counter->labels(), "a=\"b\"");
  EXPECT_GE(counter->created(), before);
  counter->set_created(123.456);
  EXPECT_EQ(counter->created(), 123.456);
}

TEST(ValueCellTest, BucketsTakeTheirUpperBound) {
  const auto histogram = cell(CellType::kHistogram, {1, 2});
  EXPECT_EQ(histogram->bucket_of(1), 0U);
  EXPECT_EQ(histogram->bucket_of(std::nextafter(1, 2)), 1U);
  EXPECT_EQ(histogram->bucket_of(kInfinity), 2U);
  EXPECT_EQ(histogram->bucket_of(-kInfinity), 0U);
  EXPECT_EQ(histogram->bucket_of(kNan), 2U);
  observe(*histogram, 1);
  observe(*histogram, 1);
  observe(*histogram, 5);
  EXPECT_EQ(histogram->bucket(0), 2U);
  EXPECT_EQ(histogram->bucket(1), 0U);
  EXPECT_EQ(histogram->bucket(2), 1U);
  EXPECT_EQ(histogram->value(), 7);
}

TEST(ValueCellTest, NativeBucketsCountTheSame) {
  const auto histogram = cell(CellType::kHistogram, {1}, true);
  for (const double value : {0.5, 3.0, -2.0, kNan}) observe(*histogram, value);
  NativeReading reading(histogram->native()->schema());
  histogram->native()->read_into(reading);
  EXPECT_EQ(reading.count(), 4U);
  EXPECT_EQ(cell(CellType::kHistogram, {1})->native(), nullptr);
}

TEST(ValueCellTest, KeepsTheNewestExemplarOfEachBucket) {
  const auto histogram = cell(CellType::kHistogram, {1});
  EXPECT_FALSE(histogram->has_exemplars());
  EXPECT_EQ(histogram->exemplar(0), std::nullopt);
  histogram->set_exemplar(1, {{{"t", "old"}}, 5, 1});
  histogram->set_exemplar(1, {{{"t", "new"}}, 6, 2});
  EXPECT_FALSE(histogram->exemplar(0).has_value());
  const auto newest = histogram->exemplar(1);
  ASSERT_TRUE(newest.has_value());
  EXPECT_EQ(newest->labels, (LabelPairs{{"t", "new"}}));
  EXPECT_EQ(newest->value, 6);
  EXPECT_THROW(histogram->set_exemplar(2, {}), std::out_of_range);
}

TEST(ValueCellTest, InfoIsReplacedAsAWhole) {
  const auto info = cell(CellType::kInfo);
  EXPECT_TRUE(info->info().empty());
  info->set_info({{"a", "1"}, {"b", "2"}});
  info->set_info({{"c", "3"}});
  EXPECT_EQ(info->info(), (LabelPairs{{"c", "3"}}));
}

// What a mutex would guarantee: no observation is lost or counted twice.
TEST(ValueCellTest, ManyWritersAreCountedExactly) {
  constexpr int kThreads = 4;
  constexpr int kObservations = 20'000;
  const auto counter = cell(CellType::kCounter);
  const auto summary = cell(CellType::kSummary);
  const auto histogram = cell(CellType::kHistogram, {1, 2}, true);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kObservations; ++i) {
        counter->add(1);
        summary->observe(0.5);
        observe(*histogram, i % 3);
        if (i % 1000 == 0) histogram->set_exemplar(0, {{{"t", "x"}}, 1, 1});
      }
    });
  }
  for (int i = 0; i < 100; ++i) (void)histogram->exemplar(0);
  for (auto& thread : threads) thread.join();
  constexpr double kTotal = kThreads * kObservations;
  EXPECT_EQ(counter->value(), kTotal);
  EXPECT_EQ(summary->count(), static_cast<uint64_t>(kTotal));
  EXPECT_EQ(summary->value(), kTotal / 2);
  EXPECT_EQ(histogram->bucket(0) + histogram->bucket(1) + histogram->bucket(2),
            static_cast<uint64_t>(kTotal));
  NativeReading reading(histogram->native()->schema());
  histogram->native()->read_into(reading);
  EXPECT_EQ(reading.count(), static_cast<uint64_t>(kTotal));
}

}  // namespace
}  // namespace inferometer
