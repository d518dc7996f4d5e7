#include "telemetry/cells/app_spec.h"

#include <gtest/gtest.h>

#include "base/non_finite.h"
#include "error_text.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

CellSpec make(CellType type, std::string_view name, const std::vector<std::string>& labels = {},
              const std::vector<double>& buckets = {1.0}) {
  return app_spec(type, name, "Help.", labels, buckets);
}

std::string buckets_error(const std::vector<double>& buckets) {
  return error_of([&] { (void)make(CellType::kHistogram, "wait", {}, buckets); });
}

TEST(AppSpecTest, CountersAreNamedWithoutTotal) {
  EXPECT_EQ(make(CellType::kCounter, "hits").name, "hits");
  EXPECT_EQ(make(CellType::kCounter, "hits_total").name, "hits");
  EXPECT_EQ(make(CellType::kGauge, "hits_total").name, "hits_total");
}

TEST(AppSpecTest, RefusesBadNames) {
  EXPECT_THROW(make(CellType::kGauge, "no-dash"), ConfigError);
  EXPECT_THROW(make(CellType::kGauge, ""), ConfigError);
  for (const char* label : {"", "1x", "a:b", "__x", "le", "quantile"}) {
    EXPECT_THROW(make(CellType::kGauge, "x", {label}), ConfigError) << label;
  }
  EXPECT_THROW(make(CellType::kGauge, "x", {"a", "b", "a"}), ConfigError);
  EXPECT_NO_THROW(make(CellType::kGauge, "x", {"instance", "job", "_a"}));
}

TEST(AppSpecTest, RefusesHelpThatIsNotUtf8) {
  EXPECT_THROW((void)app_spec(CellType::kGauge, "x", "\xff", {}, {}), ConfigError);
}

TEST(AppSpecTest, BucketsEndWithInfinity) {
  const CellSpec spec = make(CellType::kHistogram, "wait", {}, {-1.0, 0.5, 1e6});
  EXPECT_EQ(spec.bounds->text, (std::vector<std::string>{"-1.0", "0.5", "1e+06", "+Inf"}));
  EXPECT_EQ(spec.bounds->upper.back(), kInfinity);
  EXPECT_EQ(make(CellType::kHistogram, "wait", {}, {1.0, kInfinity}).bounds->text.size(), 2U);
  EXPECT_EQ(make(CellType::kGauge, "x").bounds, nullptr);
}

TEST(AppSpecTest, LabelsStayInOrderAndUnitsAreFound) {
  const CellSpec spec = make(CellType::kGauge, "wait_seconds", {"z", "a"});
  EXPECT_EQ(spec.label_names, (std::vector<std::string>{"z", "a"}));
  EXPECT_FALSE(spec.sorted_labels);
  EXPECT_EQ(spec.unit, "seconds");
}

TEST(AppSpecTest, RefusesBadBucketsAndSaysWhich) {
  EXPECT_NE(buckets_error({}).find("no finite bucket bound"), std::string::npos);
  EXPECT_NE(buckets_error({kInfinity}).find("no finite bucket bound"), std::string::npos);
  EXPECT_NE(buckets_error({2.0, 1.0}).find("got bucket bound 1.0 after 2.0"), std::string::npos);
  EXPECT_NE(buckets_error({1.0, 1.0}).find("got bucket bound 1.0 after 1.0"), std::string::npos);
  EXPECT_NE(buckets_error({1.0, kInfinity, kInfinity}).find("after +Inf"), std::string::npos);
  EXPECT_NE(buckets_error({1.0, kNan}).find("NaN"), std::string::npos);
  EXPECT_NE(buckets_error({kNan}).find("NaN"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
