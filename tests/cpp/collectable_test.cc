#include "telemetry/write/collectable.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <string>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/histogram_cells.h"
#include "telemetry/record/series.h"

namespace inferometer {
namespace {

const prometheus::MetricFamily* find(const std::vector<prometheus::MetricFamily>& families,
                                     const std::string& name) {
  for (const auto& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

TEST(CollectableTest, PrometheusCppSerializesOurMetrics) {
  const auto registry = Registry::create();
  registry->counter("hits", "Hits.", {"path"}).labels({"/"}).inc(2);
  registry->gauge("level", "Level.").set(1.5);
  registry->histogram("wait", "Wait.", {}, std::vector<double>{1.0}).observe(3);
  const auto held = registry->acquire(Metric::kLatency, {"m"});
  observe_shared(held->base(), kLatencyBounds, 30'000);
  const auto families = registry->collectable()->Collect();
  const std::string text = prometheus::TextSerializer().Serialize(families);
  for (const char* line :
       {"# TYPE hits_total counter\nhits_total{path=\"/\"} 2\n", "# TYPE level gauge\nlevel 1.5\n",
        "wait_bucket{le=\"1\"} 0\n", "wait_bucket{le=\"+Inf\"} 1\n", "wait_count 1\n",
        "wait_sum 3\n", "inference_latency_seconds_bucket{model_name=\"m\",le=\"5e-05\"} 1\n",
        "inference_latency_seconds_sum{model_name=\"m\"} 3e-05\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

TEST(CollectableTest, HistogramsCarryEveryBucket) {
  const auto registry = Registry::create();
  registry->histogram("wait", "Wait.", {}, std::vector<double>{1.0, 2.0}).observe(1.5);
  const auto families = registry->collectable()->Collect();
  const auto* wait = find(families, "wait");
  ASSERT_NE(wait, nullptr);
  const auto& histogram = wait->metric.at(0).histogram;
  ASSERT_EQ(histogram.bucket.size(), 3U);
  EXPECT_EQ(histogram.bucket[0].cumulative_count, 0U);
  EXPECT_EQ(histogram.bucket[1].cumulative_count, 1U);
  EXPECT_EQ(histogram.bucket[2].upper_bound, std::numeric_limits<double>::infinity());
  EXPECT_EQ(histogram.sample_count, 1U);
}

TEST(CollectableTest, ForeignFamiliesPassThrough) {
  class Fixed final : public prometheus::Collectable {
   public:
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      prometheus::MetricFamily size;
      size.name = "size";
      size.type = prometheus::MetricType::Summary;
      size.metric.resize(1);
      size.metric[0].summary.sample_count = 2;
      size.metric[0].summary.sample_sum = 5;
      size.metric[0].summary.quantile.resize(1);
      size.metric[0].summary.quantile[0].quantile = 0.5;
      size.metric[0].summary.quantile[0].value = 2.5;
      prometheus::MetricFamily any;
      any.name = "any";
      any.type = prometheus::MetricType::Untyped;
      any.metric.resize(1);
      any.metric[0].untyped.value = 9;
      any.metric[0].timestamp_ms = 77;
      return {size, any};
    }
  };
  const auto registry = Registry::create();
  registry->add_collectable(std::make_shared<Fixed>());
  const auto families = registry->collectable()->Collect();
  const auto* size = find(families, "size");
  const auto* any = find(families, "any");
  ASSERT_NE(size, nullptr);
  ASSERT_NE(any, nullptr);
  EXPECT_EQ(size->metric[0].summary.sample_count, 2U);
  EXPECT_EQ(size->metric[0].summary.sample_sum, 5);
  EXPECT_EQ(size->metric[0].summary.quantile[0].value, 2.5);
  EXPECT_EQ(any->metric[0].untyped.value, 9);
  EXPECT_EQ(any->metric[0].timestamp_ms, 77);
}

TEST(CollectableTest, OutlivesTheRegistry) {
  auto registry = Registry::create();
  registry->gauge("level", "").set(1);
  const auto collectable = registry->collectable();
  registry.reset();
  EXPECT_NE(find(collectable->Collect(), "level"), nullptr);
}

}  // namespace
}  // namespace inferometer
