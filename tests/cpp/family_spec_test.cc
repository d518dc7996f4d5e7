#include "telemetry/record/family_spec.h"

#include <gtest/gtest.h>

#include <limits>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

FamilySpec make(MetricType type, std::string_view name, const std::vector<std::string>& labels = {},
                const std::vector<double>& buckets = {1.0}) {
  return FamilySpec::of_application(type, name, "Help.", labels, buckets);
}

std::string error_of(const std::vector<double>& buckets) {
  try {
    (void)make(MetricType::kHistogram, "wait", {}, buckets);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(FamilySpecTest, CountersEndInTotal) {
  EXPECT_EQ(make(MetricType::kCounter, "hits").name, "hits_total");
  EXPECT_EQ(make(MetricType::kCounter, "hits_total").name, "hits_total");
  EXPECT_EQ(make(MetricType::kGauge, "hits_total").name, "hits_total");
}

TEST(FamilySpecTest, RefusesBadNames) {
  EXPECT_THROW(make(MetricType::kGauge, "no-dash"), ConfigError);
  EXPECT_THROW(make(MetricType::kGauge, ""), ConfigError);
  for (const char* label : {"", "1x", "a:b", "__x", "le", "quantile"}) {
    EXPECT_THROW(make(MetricType::kGauge, "x", {label}), ConfigError) << label;
  }
  EXPECT_THROW(make(MetricType::kGauge, "x", {"a", "b", "a"}), ConfigError);
  EXPECT_NO_THROW(make(MetricType::kGauge, "x", {"instance", "job", "_a"}));
}

TEST(FamilySpecTest, RefusesHelpThatIsNotUtf8) {
  EXPECT_THROW((void)FamilySpec::of_application(MetricType::kGauge, "x", "\xff", {}, {}),
               ConfigError);
}

TEST(FamilySpecTest, BucketsEndWithInfinity) {
  const FamilySpec spec = make(MetricType::kHistogram, "wait", {}, {-1.0, 0.5, 1e6});
  EXPECT_EQ(spec.le, (std::vector<std::string>{"-1.0", "0.5", "1e+06", "+Inf"}));
  EXPECT_EQ(spec.bounds.back(), kInfinity);
  EXPECT_EQ(spec.words(), 5U);
  EXPECT_EQ(make(MetricType::kHistogram, "wait", {}, {1.0, kInfinity}).le.size(), 2U);
  EXPECT_TRUE(make(MetricType::kGauge, "x").bounds.empty());
  EXPECT_EQ(make(MetricType::kGauge, "x").words(), 1U);
}

TEST(FamilySpecTest, RefusesBadBucketsAndSaysWhich) {
  EXPECT_NE(error_of({}).find("no finite bucket bound"), std::string::npos);
  EXPECT_NE(error_of({kInfinity}).find("no finite bucket bound"), std::string::npos);
  EXPECT_NE(error_of({2.0, 1.0}).find("got bucket bound 1.0 after 2.0"), std::string::npos);
  EXPECT_NE(error_of({1.0, 1.0}).find("got bucket bound 1.0 after 1.0"), std::string::npos);
  EXPECT_NE(error_of({1.0, kInfinity, kInfinity}).find("after +Inf"), std::string::npos);
  EXPECT_NE(error_of({1.0, kNan}).find("NaN"), std::string::npos);
  EXPECT_NE(error_of({kNan}).find("NaN"), std::string::npos);
}

TEST(FamilySpecTest, CatalogueBoundsAreShownInSeconds) {
  const FamilySpec latency = FamilySpec::of(metric_info(Metric::kLatency));
  EXPECT_EQ(latency.le,
            (std::vector<std::string>{"2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005", "0.001",
                                      "0.0025",  "0.005", "0.01",   "0.025",   "0.05",   "0.1",
                                      "0.25",    "0.5",   "1.0",    "2.0",     "2.5",    "5.0",
                                      "10.0",    "30.0",  "60.0",   "+Inf"}));
  EXPECT_EQ(latency.words(), stripe_words(Metric::kLatency));
  const FamilySpec batch = FamilySpec::of(metric_info(Metric::kBatchSize));
  EXPECT_EQ(batch.le.front(), "1.0");
  EXPECT_EQ(batch.le[10], "1024.0");
}

}  // namespace
}  // namespace inferometer
