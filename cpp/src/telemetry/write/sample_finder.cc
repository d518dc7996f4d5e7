#include "telemetry/write/sample_finder.h"

#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {

void SampleFinder::family(const FamilyView& family) {
  in_family_ = name_.starts_with(family.name);
  if (in_family_) suffix_ = name_.substr(family.name.size());
}

bool SampleFinder::matches(std::string_view labels, std::string_view extra_name,
                           std::string_view extra_value) const {
  const auto wanted = [this](std::string_view name, std::string_view value) {
    const auto found = labels_.find(name);
    return found != labels_.end() && found->second == value;
  };
  size_t count = extra_name.empty() ? 0 : 1;
  if (count > 0 && !wanted(extra_name, extra_value)) return false;
  for (LabelReader reader(labels); reader.next(); ++count) {
    if (!wanted(reader.name(), reader.value())) return false;
  }
  return count == labels_.size();
}

void SampleFinder::scalar(const SeriesView& series, const Number& value,
                          const ExemplarView* /*exemplar*/) {
  if (in_family_ && suffix_.empty() && matches(series.labels, "", "")) value_ = value.real;
}

void SampleFinder::histogram(const SeriesView& series, const HistogramView& histogram) {
  if (!in_family_) return;
  if (suffix_ == "_sum" && matches(series.labels, "", "")) value_ = histogram.sum.real;
  if (suffix_ == "_count" && matches(series.labels, "", "")) {
    value_ = static_cast<double>(histogram.cumulative.back());
  }
  if (suffix_ != "_bucket") return;
  for (size_t i = 0; i < histogram.le.size(); ++i) {
    if (matches(series.labels, "le", histogram.le[i])) {
      value_ = static_cast<double>(histogram.cumulative[i]);
    }
  }
}

void SampleFinder::summary(const SeriesView& series, const SummaryView& summary) {
  if (!in_family_) return;
  if (suffix_ == "_sum" && matches(series.labels, "", "")) value_ = summary.sum;
  if (suffix_ == "_count" && matches(series.labels, "", ""))
    value_ = static_cast<double>(summary.count);
  if (!suffix_.empty()) return;
  for (size_t i = 0; i < summary.quantiles.size(); ++i) {
    if (matches(series.labels, "quantile", float_text(summary.quantiles[i])))
      value_ = summary.values[i];
  }
}

}  // namespace inferometer
