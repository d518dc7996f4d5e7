// Foreign prometheus-cpp collectors inside our exposition.
#include "telemetry/record/foreign_collect.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fixed_collectable.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/series.h"

namespace inferometer {
namespace {

class BrokenCollectable final : public prometheus::Collectable {
 public:
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    throw std::runtime_error("broken");
  }
};

using ForeignLabels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricFamily family(const std::string& name, prometheus::MetricType type, double value,
                                const std::vector<ForeignLabels>& series = {{}}) {
  prometheus::MetricFamily result;
  result.name = name;
  result.help = "Foreign.";
  result.type = type;
  for (const ForeignLabels& labels : series) {
    prometheus::ClientMetric metric;
    metric.label = labels;
    metric.counter.value = metric.gauge.value = metric.untyped.value = value;
    result.metric.push_back(metric);
  }
  return result;
}

class ForeignCollectTest : public testing::Test {
 protected:
  std::string foreign_text() {
    const std::string text = registry_->render_text();
    const size_t own = text.find("inferometer_build_info{");
    return text.substr(text.find('\n', own) + 1);
  }
  void add(std::vector<prometheus::MetricFamily> families) {
    registry_->add_collectable(std::make_shared<FixedCollectable>(std::move(families)));
  }
  // Of the last exposition; asking would make another one, which counts again.
  static double own(const std::string& text, const std::string& name) {
    const size_t at = text.find("\n" + name + " ");
    return std::stod(text.substr(at + name.size() + 2));
  }
  double dropped() { return own(registry_->render_text(), "inferometer_dropped_series_total"); }

  // What waits for a collector that does not answer hangs the test.
  const std::shared_ptr<Registry> registry_ = patient();
  static std::shared_ptr<Registry> patient() {
    return Registry::create({.collector_timeout_seconds = 3600});
  }
};

TEST_F(ForeignCollectTest, ARealRegistryIsShownWithEscapedHelp) {
  const auto foreign = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("jobs_total")
      .Help("Jobs\ndone.")
      .Register(*foreign)
      .Add({{"kind", "a\"b"}})
      .Increment(2);
  prometheus::BuildGauge().Name("heat").Help("Heat.").Register(*foreign).Add({}).Set(0.1 + 0.2);
  prometheus::BuildHistogram()
      .Name("lag")
      .Help("Lag.")
      .Register(*foreign)
      .Add({}, prometheus::Histogram::BucketBoundaries{1, 2})
      .Observe(1.5);
  prometheus::BuildSummary()
      .Name("size")
      .Help("Size.")
      .Register(*foreign)
      .Add({}, prometheus::Summary::Quantiles{{0.5, 0.05}})
      .Observe(3);
  registry_->add_collectable(foreign);
  EXPECT_EQ(foreign_text(), R"(# HELP jobs_total Jobs\ndone.
# TYPE jobs_total counter
jobs_total{kind="a\"b"} 2.0
# HELP heat Heat.
# TYPE heat gauge
heat 0.30000000000000004
# HELP lag Lag.
# TYPE lag histogram
lag_bucket{le="1.0"} 0
lag_bucket{le="2.0"} 1
lag_bucket{le="+Inf"} 1
lag_sum 1.5
lag_count 1
# HELP size Size.
# TYPE size summary
size{quantile="0.5"} 3.0
size_sum 3.0
size_count 1
)");
  EXPECT_EQ(registry_->sample_value("jobs_total", {{"kind", "a\"b"}}), 2);
  EXPECT_EQ(registry_->sample_value("lag_bucket", {{"le", "2.0"}}), 1);
  EXPECT_EQ(registry_->sample_value("lag_count"), 1);
  EXPECT_EQ(registry_->sample_value("size", {{"quantile", "0.5"}}), 3);
  EXPECT_EQ(registry_->sample_value("size_count"), 1);
  EXPECT_EQ(registry_->sample_value("size_sum"), 3);
  registry_->remove_collectable(foreign);
  EXPECT_EQ(foreign_text(), "");
}

TEST_F(ForeignCollectTest, TheSameNameAndTypeComeUnderOneHeader) {
  const Counter hits = registry_->counter("hits", "Ours.", {"path", "code"});
  hits.labels({"/", "200"}).inc();
  add({family("hits_total", prometheus::MetricType::Counter, 7,
              {{{"path", "/x"}, {"code", "200"}}, {{"code", "200"}, {"path", "/"}}})});
  add({family("hits_total", prometheus::MetricType::Counter, 8,
              {{{"path", "/y"}}, {{"path", "/x"}, {"code", "200"}}})});
  EXPECT_EQ(foreign_text(), R"(# HELP hits_total Ours.
# TYPE hits_total counter
hits_total{path="/",code="200"} 1.0
hits_total{path="/x",code="200"} 7.0
hits_total{path="/y"} 8.0
)");
  EXPECT_EQ(dropped(), 4);  // two series that were there already, in each of two expositions
}

TEST_F(ForeignCollectTest, ForeignSeriesMayFillAnEmptyFamilyOfOurs) {
  (void)registry_->counter("hits", "Ours.", {"path"});
  add({family("hits_total", prometheus::MetricType::Counter, 7, {{{"path", "/x"}}}),
       family("inference_queue_depth", prometheus::MetricType::Gauge, 3,
              {{{"model_name", "foreign"}}})});
  const std::string text = registry_->render_text();
  EXPECT_NE(text.find("# HELP hits_total Ours.\n# TYPE hits_total counter\n"
                      "hits_total{path=\"/x\"} 7.0\n"),
            std::string::npos);
  EXPECT_NE(text.find("inference_queue_depth{model_name=\"foreign\"} 3.0\n"), std::string::npos);
  EXPECT_EQ(text.find("# TYPE hits_total"), text.rfind("# TYPE hits_total"));
}

TEST_F(ForeignCollectTest, AClashOfTypesIsDroppedAndCounted) {
  registry_->gauge("level", "").set(1);
  (void)registry_->histogram("wait", "");
  add({family("level", prometheus::MetricType::Counter, 2),
       family("wait_sum", prometheus::MetricType::Gauge, 2, {{{"a", "1"}}, {{"a", "2"}}}),
       family("other", prometheus::MetricType::Untyped, 2)});
  add({family("other", prometheus::MetricType::Gauge, 3)});
  const std::string text = registry_->render_text();
  EXPECT_EQ(own(text, "inferometer_dropped_series_total"), 4);
  EXPECT_NE(text.find("\nlevel 1.0\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE other untyped\nother 2.0\n"), std::string::npos);
  EXPECT_EQ(text.find("other 3.0"), std::string::npos);
}

TEST_F(ForeignCollectTest, InvalidNamesTextsAndTypesAreDropped) {
  const auto gauge = prometheus::MetricType::Gauge;
  add({family("bad-name", gauge, 1), family("label", gauge, 1, {{{"a:b", "x"}}}),
       family("twice", gauge, 1, {{{"a", "x"}, {"a", "y"}}}),
       family("bytes", gauge, 1, {{{"a", "\xff"}}, {{"a", "good"}}}),
       family("strange", static_cast<prometheus::MetricType>(77), 1)});
  EXPECT_EQ(foreign_text(), "# HELP bytes Foreign.\n# TYPE bytes gauge\nbytes{a=\"good\"} 1.0\n");
  EXPECT_EQ(dropped(), 10);  // five, in each of two expositions
}

TEST_F(ForeignCollectTest, UnsoundHistogramsAreDropped) {
  prometheus::MetricFamily lag;
  lag.name = "lag";
  lag.type = prometheus::MetricType::Histogram;
  const auto histogram = [&](const std::vector<std::pair<double, uint64_t>>& buckets,
                             uint64_t count) {
    prometheus::ClientMetric metric;
    metric.label = {{"n", std::to_string(lag.metric.size())}};
    metric.histogram.sample_count = count;
    for (const auto& [bound, cumulative] : buckets) {
      prometheus::ClientMetric::Bucket bucket;
      bucket.upper_bound = bound;
      bucket.cumulative_count = cumulative;
      metric.histogram.bucket.push_back(bucket);
    }
    lag.metric.push_back(metric);
  };
  histogram({{1, 1}}, 2);                                                 // +Inf is added
  histogram({{2, 1}, {1, 2}}, 2);                                         // not ascending
  histogram({{1, 5}, {2, 4}}, 6);                                         // not cumulative
  histogram({{std::numeric_limits<double>::quiet_NaN(), 1}, {1, 2}}, 2);  // no bound
  add({lag});
  EXPECT_EQ(foreign_text(), R"(# HELP lag 
# TYPE lag histogram
lag_bucket{n="0",le="1.0"} 1
lag_bucket{n="0",le="+Inf"} 2
lag_sum{n="0"} 0.0
lag_count{n="0"} 2
)");
}

TEST_F(ForeignCollectTest, TimestampsAreKept) {
  auto heat = family("heat", prometheus::MetricType::Gauge, 1);
  heat.metric[0].timestamp_ms = 1234;
  add({heat});
  EXPECT_NE(registry_->render_text().find("\nheat 1.0 1234\n"), std::string::npos);
}

TEST_F(ForeignCollectTest, ABrokenCollectorIsCountedAndTheRestIsServed) {
  registry_->add_collectable(std::make_shared<BrokenCollectable>());
  add({family("heat", prometheus::MetricType::Gauge, 1)});
  const std::string text = registry_->render_text();
  EXPECT_EQ(own(text, "inferometer_collector_errors_total"), 1);
  EXPECT_NE(text.find("\nheat 1.0\n"), std::string::npos);
}

TEST_F(ForeignCollectTest, NullAndItselfAreRefused) {
  EXPECT_THROW(registry_->add_collectable(nullptr), ConfigError);
  EXPECT_THROW(registry_->add_collectable(registry_->collectable()), ConfigError);
}

TEST_F(ForeignCollectTest, AnotherRegistryOfOursCanBeMerged) {
  const auto other = Registry::create();
  other->counter("theirs", "").inc(3);
  registry_->add_collectable(other->collectable());
  EXPECT_EQ(registry_->sample_value("theirs_total"), 3);
}

TEST_F(ForeignCollectTest, RegistriesThatCollectEachOtherEndWithAnError) {
  const auto other = patient();
  registry_->gauge("mine", "").set(1);
  other->add_collectable(registry_->collectable());
  const auto back = other->collectable();
  registry_->add_collectable(back);
  EXPECT_NE(registry_->render_text().find("\nmine 1.0\n"), std::string::npos);
  EXPECT_GE(registry_->sample_value("inferometer_collector_errors_total").value_or(0) +
                other->sample_value("inferometer_collector_errors_total").value_or(0),
            1);
  registry_->remove_collectable(back);  // they would keep each other alive
}

}  // namespace
}  // namespace inferometer
