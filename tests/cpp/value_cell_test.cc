#include "telemetry/cells/value_cell.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(CellBoundsTest, AddsInfinityAndWritesTheBounds) {
  const auto bounds = CellBounds::of({0.5, 1, 1e6});
  EXPECT_EQ(bounds->upper, (std::vector<double>{0.5, 1, 1e6, kInfinity}));
  EXPECT_EQ(bounds->text, (std::vector<std::string>{"0.5", "1.0", "1e+06", "+Inf"}));
}

TEST(CellBoundsTest, RefusesWhatDoesNotAscend) {
  EXPECT_THROW((void)CellBounds::of({2, 1}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({1, kNan}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({kInfinity}), ConfigError);
}

TEST(CellLabelsTest, SortsAndCutsWhereTheOwnLabelBelongs) {
  const std::vector<std::string> names{"z", "a", "le_"};
  const std::vector<std::string> values{"1", "say \"x\"", "\\\n"};
  const CellLabels whole = CellLabels::of(names, values, "");
  EXPECT_EQ(whole.before(), "a=\"say \\\"x\\\"\",le_=\"\\\\\\n\",z=\"1\"");
  EXPECT_EQ(whole.after(), "");
  const CellLabels cut = CellLabels::of(names, values, "le");
  EXPECT_EQ(cut.before(), "a=\"say \\\"x\\\"\"");
  EXPECT_EQ(cut.after(), "le_=\"\\\\\\n\",z=\"1\"");
}

TEST(CellLabelsTest, TheLastOfTwoEqualNamesCounts) {
  const std::vector<std::string> names{"a", "a"};
  const std::vector<std::string> values{"1", "2"};
  EXPECT_EQ(CellLabels::of(names, values, "").before(), "a=\"2\"");
}

TEST(ValueCellTest, BucketsTakeTheirUpperBound) {
  ValueCell cell({}, CellBounds::of({1, 2}));
  EXPECT_EQ(cell.observe_bucket(1), std::optional<size_t>(0));
  EXPECT_EQ(cell.observe_bucket(std::nextafter(1, 2)), std::optional<size_t>(1));
  EXPECT_EQ(cell.observe_bucket(kInfinity), std::optional<size_t>(2));
  EXPECT_EQ(cell.observe_bucket(-kInfinity), std::optional<size_t>(0));
  EXPECT_EQ(cell.bucket(0), 2u);
  EXPECT_EQ(cell.bucket(1), 1u);
  EXPECT_EQ(cell.bucket(2), 1u);
}

TEST(ValueCellTest, NanIsInTheSumAndInNoBucket) {
  ValueCell cell({}, CellBounds::of({1}));
  EXPECT_EQ(cell.observe_bucket(kNan), std::nullopt);
  EXPECT_TRUE(std::isnan(cell.value()));
  EXPECT_EQ(cell.bucket(0) + cell.bucket(1), 0u);
}

TEST(ValueCellTest, KeepsTheNewestExemplarOfEachBucket) {
  ValueCell cell({}, CellBounds::of({1}));
  EXPECT_FALSE(cell.has_exemplars());
  EXPECT_EQ(cell.exemplar(0), std::nullopt);
  cell.set_exemplar(1, {{{"t", "old"}}, 5, 1});
  cell.set_exemplar(1, {{{"t", "new"}}, 6, 2});
  EXPECT_FALSE(cell.exemplar(0).has_value());
  ASSERT_TRUE(cell.exemplar(1).has_value());
  EXPECT_EQ(cell.exemplar(1)->labels, (LabelPairs{{"t", "new"}}));
  EXPECT_EQ(cell.exemplar(1)->value, 6);
  EXPECT_THROW(cell.set_exemplar(2, {}), std::out_of_range);
}

TEST(ValueCellTest, KeepsTheTextOfItsFirstTimeOnly) {
  ValueCell cell({});
  EXPECT_EQ(cell.created_text(), "");
  cell.set_created(1700000000.125);
  EXPECT_EQ(cell.created_text(), "1.700000000125e+09");
  cell.set_created(2);
  EXPECT_EQ(cell.created_text(), "");
  EXPECT_EQ(cell.created(), 2);
}

TEST(ValueCellTest, InfoIsReplacedAsAWhole) {
  ValueCell cell({});
  cell.set_info({{"a", "1"}, {"b", "2"}});
  cell.set_info({{"c", "3"}});
  EXPECT_EQ(cell.info(), (LabelPairs{{"c", "3"}}));
}

// What a mutex would guarantee: no observation is lost or counted twice.
TEST(ValueCellTest, ManyWritersAreCountedExactly) {
  constexpr int kThreads = 4;
  constexpr int kObservations = 20'000;
  ValueCell counter({});
  ValueCell summary({});
  ValueCell histogram({}, CellBounds::of({1, 2}));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kObservations; ++i) {
        counter.add(1);
        summary.observe(0.5);
        histogram.observe_bucket(i % 3);
        if (i % 1000 == 0) histogram.set_exemplar(0, {{{"t", "x"}}, 1, 1});
      }
    });
  }
  for (int i = 0; i < 100; ++i) (void)histogram.exemplar(0);
  for (auto& thread : threads) thread.join();
  constexpr double kTotal = kThreads * kObservations;
  EXPECT_EQ(counter.value(), kTotal);
  EXPECT_EQ(summary.count(), static_cast<uint64_t>(kTotal));
  EXPECT_EQ(summary.value(), kTotal / 2);
  EXPECT_EQ(histogram.bucket(0) + histogram.bucket(1) + histogram.bucket(2),
            static_cast<uint64_t>(kTotal));
}

}  // namespace
}  // namespace inferometer
