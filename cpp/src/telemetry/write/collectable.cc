#include "telemetry/write/collectable.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "telemetry/record/registry_core.h"
#include "telemetry/write/label_text.h"
#include "telemetry/write/sink.h"

namespace inferometer {
namespace {

prometheus::MetricType type_of(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricType::kSummary:
      return prometheus::MetricType::Summary;
    case MetricType::kUntyped:
      break;
  }
  return prometheus::MetricType::Untyped;
}

// Builds prometheus-cpp's families. Single-owner.
class FamilyBuilder final : public Sink {
 public:
  void family(const FamilyView& family) override {
    prometheus::MetricFamily& added = families_.emplace_back();
    added.name = family.name;
    added.help = family.help;
    added.type = type_of(family.type);
  }

  void scalar(const SeriesView& series, const Number& value,
              const ExemplarView* /*exemplar*/) override {
    prometheus::ClientMetric& metric = add(series);
    switch (families_.back().type) {
      case prometheus::MetricType::Counter:
        metric.counter.value = value.real;
        break;
      case prometheus::MetricType::Gauge:
        metric.gauge.value = value.real;
        break;
      default:
        metric.untyped.value = value.real;
        break;
    }
  }

  void histogram(const SeriesView& series, const HistogramView& histogram) override {
    auto& target = add(series).histogram;
    target.sample_count = histogram.cumulative.back();
    target.sample_sum = histogram.sum.real;
    target.bucket.resize(histogram.bounds.size());
    for (size_t i = 0; i < histogram.bounds.size(); ++i) {
      target.bucket[i].upper_bound = histogram.bounds[i];
      target.bucket[i].cumulative_count = histogram.cumulative[i];
    }
  }

  void summary(const SeriesView& series, const SummaryView& summary) override {
    auto& target = add(series).summary;
    target.sample_count = summary.count;
    target.sample_sum = summary.sum;
    target.quantile.resize(summary.quantiles.size());
    for (size_t i = 0; i < summary.quantiles.size(); ++i) {
      target.quantile[i].quantile = summary.quantiles[i];
      target.quantile[i].value = summary.values[i];
    }
  }

  [[nodiscard]] std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& add(const SeriesView& series) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    metric.timestamp_ms = series.timestamp_ms;
    for (LabelReader labels(series.labels); labels.next();) {
      prometheus::ClientMetric::Label& label = metric.label.emplace_back();
      label.name = labels.name();
      label.value = labels.value();
    }
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

class CoreCollectable final : public prometheus::Collectable {
 public:
  explicit CoreCollectable(std::shared_ptr<RegistryCore> core) : core_(std::move(core)) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    FamilyBuilder builder;
    core_->visit(builder);
    return builder.take();
  }

  [[nodiscard]] const RegistryCore* core() const noexcept { return core_.get(); }

 private:
  const std::shared_ptr<RegistryCore> core_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> make_collectable(std::shared_ptr<RegistryCore> core) {
  return std::make_shared<CoreCollectable>(std::move(core));
}

bool is_collectable_of(const prometheus::Collectable& collectable,
                       const RegistryCore& core) noexcept {
  const auto* const ours = dynamic_cast<const CoreCollectable*>(&collectable);
  return ours != nullptr && ours->core() == &core;
}

}  // namespace inferometer
