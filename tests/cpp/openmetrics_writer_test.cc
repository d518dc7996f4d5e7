#include "telemetry/write/openmetrics_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/non_finite.h"
#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

// Labels that live as long as this.
struct OwnLabels {
  std::vector<std::string> names;
  std::vector<std::string> values;
  std::string text = label_text(names, values);
  [[nodiscard]] std::string_view view() const { return text; }
};

TEST(OpenMetricsWriterTest, NothingIsOneEof) { EXPECT_EQ(OpenMetricsWriter().text(), "# EOF\n"); }

TEST(OpenMetricsWriterTest, CountersWithUnitsExemplarsAndTimes) {
  OpenMetricsWriter writer(0, /*with_created=*/true);
  const OwnLabels labels{{"a"}, {"x\"\\\n"}};
  const OwnLabels trace{{"trace_id"}, {"abc"}};
  writer.family({"busy_seconds_total", "Say \"busy\"\\\n.", MetricType::kCounter, "seconds"});
  const ExemplarView exemplar{trace.view(), 0.5, 1'700'000'000'250'000'000};
  writer.scalar({labels.view(), 1'500, 1'600'000'000'000'000'001}, Number::of(2.0), &exemplar);
  EXPECT_EQ(std::move(writer).text(),
            "# TYPE busy_seconds counter\n"
            "# UNIT busy_seconds seconds\n"
            "# HELP busy_seconds Say \\\"busy\\\"\\\\\\n.\n"
            "busy_seconds_total{a=\"x\\\"\\\\\\n\"} 2.0 1.5 # {trace_id=\"abc\"} 0.5 "
            "1700000000.25\n"
            "busy_seconds_created{a=\"x\\\"\\\\\\n\"} 1600000000.000000001\n"
            "# EOF\n");
}

TEST(OpenMetricsWriterTest, CreatedOnlyWhenAskedFor) {
  OpenMetricsWriter writer;
  writer.family({"x_total", "", MetricType::kCounter});
  writer.scalar({{}, 0, 1}, Number::of(int64_t{2}), nullptr);
  EXPECT_EQ(std::move(writer).text(), "# TYPE x counter\n# HELP x \nx_total 2\n# EOF\n");
}

TEST(OpenMetricsWriterTest, TritonsCountersAreUnknown) {
  OpenMetricsWriter writer(0, /*with_created=*/true);
  writer.family({"nv_inference_count", "Count", MetricType::kCounter});
  writer.scalar({{}, 0, 1}, Number::of(int64_t{2}), nullptr);
  writer.family({"y", "", MetricType::kUntyped});
  writer.scalar({}, Number::of(-1.0), nullptr);
  EXPECT_EQ(std::move(writer).text(),
            "# TYPE nv_inference_count unknown\n# HELP nv_inference_count Count\n"
            "nv_inference_count 2\n"
            "# TYPE y unknown\n# HELP y \ny -1.0\n# EOF\n");
}

TEST(OpenMetricsWriterTest, HistogramsAndSummaries) {
  OpenMetricsWriter writer(0, /*with_created=*/true);
  const std::array<double, 2> bounds = {1, kInfinity};
  const std::array<std::string, 2> le = {"1.0", "+Inf"};
  const std::array<uint64_t, 2> cumulative = {1, 3};
  const OwnLabels trace{{"trace_id"}, {"t"}};
  const std::array<ExemplarView, 2> exemplars = {ExemplarView{}, ExemplarView{trace.view(), 7, 0}};
  writer.family({"wait", "W", MetricType::kHistogram});
  writer.histogram({{}, 0, 2'000'000'000},
                   {bounds, le, cumulative, Number::of(9.5), exemplars, nullptr});
  const std::array<double, 2> below = {-1, kInfinity};
  writer.family({"balance", "B", MetricType::kHistogram});
  writer.histogram({}, {below, le, cumulative, Number::of(-9.5)});
  const std::array<double, 1> quantiles = {0.5};
  const std::array<double, 1> values = {3};
  writer.family({"size", "S", MetricType::kSummary});
  writer.summary({}, {quantiles, values, 4, 6});
  EXPECT_EQ(std::move(writer).text(),
            "# TYPE wait histogram\n# HELP wait W\n"
            "wait_bucket{le=\"1.0\"} 1\n"
            "wait_bucket{le=\"+Inf\"} 3 # {trace_id=\"t\"} 7.0\n"
            "wait_count 3\nwait_sum 9.5\nwait_created 2.0\n"
            "# TYPE balance histogram\n# HELP balance B\n"
            "balance_bucket{le=\"1.0\"} 1\nbalance_bucket{le=\"+Inf\"} 3\n"
            "# TYPE size summary\n# HELP size S\n"
            "size{quantile=\"0.5\"} 3.0\nsize_count 4\nsize_sum 6.0\n"
            "# EOF\n");
}

}  // namespace
}  // namespace inferometer
