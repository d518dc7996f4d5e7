#include "telemetry/record/foreign_collect.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <limits>
#include <optional>
#include <utility>

namespace inferometer {
namespace {

// Types that this library does not know (1.1 added Info) give nothing.
std::optional<MetricType> type_of(prometheus::MetricType type) noexcept {
  switch (type) {
    case prometheus::MetricType::Counter:
      return MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return MetricType::kGauge;
    case prometheus::MetricType::Summary:
      return MetricType::kSummary;
    case prometheus::MetricType::Untyped:
      return MetricType::kUntyped;
    case prometheus::MetricType::Histogram:
      return MetricType::kHistogram;
    default:
      return std::nullopt;
  }
}

ForeignSeries series_of(const prometheus::ClientMetric& metric, MetricType type) {
  ForeignSeries series;
  for (const auto& label : metric.label) {
    series.label_names.push_back(label.name);
    series.label_values.push_back(label.value);
  }
  series.timestamp_ms = metric.timestamp_ms;
  switch (type) {
    case MetricType::kCounter:
      series.value = metric.counter.value;
      break;
    case MetricType::kGauge:
      series.value = metric.gauge.value;
      break;
    case MetricType::kUntyped:
      series.value = metric.untyped.value;
      break;
    case MetricType::kSummary:
      for (const auto& quantile : metric.summary.quantile) {
        series.bounds.push_back(quantile.quantile);
        series.quantile_values.push_back(quantile.value);
      }
      series.count = metric.summary.sample_count;
      series.sum = metric.summary.sample_sum;
      break;
    case MetricType::kHistogram:
      for (const auto& bucket : metric.histogram.bucket) {
        series.bounds.push_back(bucket.upper_bound);
        series.cumulative.push_back(bucket.cumulative_count);
      }
      if (series.bounds.empty() ||
          series.bounds.back() != std::numeric_limits<double>::infinity()) {
        series.bounds.push_back(std::numeric_limits<double>::infinity());
        series.cumulative.push_back(metric.histogram.sample_count);
      }
      series.sum = metric.histogram.sample_sum;
      break;
  }
  return series;
}

// Calls of collect() do not overlap.
class CollectableSource final : public FamilySource {
 public:
  explicit CollectableSource(std::shared_ptr<prometheus::Collectable> collectable)
      : collectable_(std::move(collectable)) {}

  [[nodiscard]] Collected collect() override {
    Collected result;
    for (const prometheus::MetricFamily& family : collectable_->Collect()) {
      const std::optional<MetricType> type = type_of(family.type);
      if (!type) {
        result.dropped += family.metric.size();
        continue;
      }
      ForeignFamily copy{family.name, family.help, *type, {}};
      for (const auto& metric : family.metric) copy.series.push_back(series_of(metric, *type));
      result.families.push_back(std::move(copy));
    }
    return result;
  }

 private:
  const std::shared_ptr<prometheus::Collectable> collectable_;
};

}  // namespace

std::shared_ptr<FamilySource> source_of(std::shared_ptr<prometheus::Collectable> collectable) {
  return std::make_shared<CollectableSource>(std::move(collectable));
}

}  // namespace inferometer
