#include "telemetry/cells/cell_spec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/non_finite.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

TEST(CellSpecTest, BoundsEndWithInfinityAndAreWritten) {
  const auto bounds = CellBounds::of({0.5, 1, 1e6});
  EXPECT_EQ(bounds->upper, (std::vector<double>{0.5, 1, 1e6, kInfinity}));
  EXPECT_EQ(bounds->text, (std::vector<std::string>{"0.5", "1.0", "1e+06", "+Inf"}));
}

TEST(CellSpecTest, BoundsThatDoNotAscendAreRefused) {
  EXPECT_THROW((void)CellBounds::of({2, 1}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({1, kNan}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({}), ConfigError);
  EXPECT_THROW((void)CellBounds::of({kInfinity}), ConfigError);
  EXPECT_NO_THROW((void)CellBounds::of({1, 1}));
}

TEST(CellSpecTest, EveryTypeHasAnExposedType) {
  EXPECT_EQ(metric_type(CellType::kCounter), MetricType::kCounter);
  EXPECT_EQ(metric_type(CellType::kGauge), MetricType::kGauge);
  EXPECT_EQ(metric_type(CellType::kSummary), MetricType::kSummary);
  EXPECT_EQ(metric_type(CellType::kHistogram), MetricType::kHistogram);
  EXPECT_EQ(metric_type(CellType::kInfo), MetricType::kGauge);
  EXPECT_EQ(metric_type(CellType::kStateSet), MetricType::kGauge);
}

}  // namespace
}  // namespace inferometer
