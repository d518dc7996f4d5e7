#include "telemetry/write/openmetrics_writer.h"

#include <utility>

#include "telemetry/record/names.h"
#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

}  // namespace

void OpenMetricsWriter::family(const FamilyView& family) {
  const bool has_total = without_total(family.name).size() < family.name.size();
  counter_ = family.type == MetricType::kCounter && has_total;
  const bool unknown =
      family.type == MetricType::kUntyped || (family.type == MetricType::kCounter && !has_total);
  name_ = counter_ ? without_total(family.name) : family.name;
  std::string header = "# TYPE " + name_ + " ";
  header.append(unknown ? "unknown" : metric_type_name(family.type)).append("\n");
  if (!family.unit.empty()) {
    header.append("# UNIT ").append(name_).append(" ").append(family.unit).append("\n");
  }
  header.append("# HELP ").append(name_).append(" ");
  append_escaped_value(header, family.help);
  header += '\n';
  lines_.append(header);
}

void OpenMetricsWriter::sample(std::string_view suffix, const SeriesView& series, ExtraLabel extra,
                               const Number& value, const ExemplarView* exemplar) {
  lines_.begin_sample(name_, suffix, series.labels, extra);
  lines_.number(value);
  if (series.timestamp_ms != 0) {
    lines_.append(" ");
    lines_.seconds(series.timestamp_ms * kNanosPerMilli);
  }
  if (exemplar != nullptr && exemplar->exists()) {
    lines_.append(" # ");
    lines_.begin_sample("", "", exemplar->labels, {});
    lines_.number(Number::of(exemplar->value));
    if (exemplar->timestamp_ns != 0) {
      lines_.append(" ");
      lines_.seconds(exemplar->timestamp_ns);
    }
  }
  lines_.end_line();
}

void OpenMetricsWriter::created(const SeriesView& series) {
  if (!with_created_ || series.created_ns == 0) return;
  lines_.begin_sample(name_, "_created", series.labels, {});
  lines_.seconds(series.created_ns);
  lines_.end_line();
}

void OpenMetricsWriter::scalar(const SeriesView& series, const Number& value,
                               const ExemplarView* exemplar) {
  if (!counter_) {
    sample("", series, {}, value);
    return;
  }
  sample("_total", series, {}, value, exemplar);
  created(series);
}

void OpenMetricsWriter::histogram(const SeriesView& series, const HistogramView& histogram) {
  for (size_t i = 0; i < histogram.le.size(); ++i) {
    sample("_bucket", series, {"le", histogram.le[i]}, Number::of_count(histogram.cumulative[i]),
           histogram.exemplars.empty() ? nullptr : &histogram.exemplars[i]);
  }
  // The sum of observations that may be negative can fall: the format has none then, nor a count.
  if (histogram.bounds.front() >= 0) {
    sample("_count", series, {}, Number::of_count(histogram.cumulative.back()));
    sample("_sum", series, {}, histogram.sum);
  }
  created(series);
}

void OpenMetricsWriter::summary(const SeriesView& series, const SummaryView& summary) {
  for (size_t i = 0; i < summary.quantiles.size(); ++i) {
    const std::string quantile = float_text(summary.quantiles[i]);
    sample("", series, {"quantile", quantile}, Number::of(summary.values[i]));
  }
  sample("_count", series, {}, Number::of_count(summary.count));
  sample("_sum", series, {}, Number::of(summary.sum));
  created(series);
}

std::string OpenMetricsWriter::text() && {
  lines_.append("# EOF\n");
  return std::move(lines_).text();
}

}  // namespace inferometer
