#include "telemetry/write/text_writer.h"

#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
void TextWriter::family(const FamilyView& family) {
  name_ = family.name;
  std::string header = "# HELP " + name_ + " ";
  append_escaped_help(header, family.help);
  header.append("\n# TYPE ")
      .append(name_)
      .append(" ")
      .append(metric_type_name(family.type))
      .append("\n");
  lines_.append(header);
}

void TextWriter::sample(std::string_view suffix, const SeriesView& series, ExtraLabel extra,
                        const Number& value) {
  lines_.begin_sample(name_, suffix, series.labels, extra);
  lines_.number(value);
  if (series.timestamp_ms != 0) lines_.milliseconds(series.timestamp_ms);
  lines_.end_line();
}

void TextWriter::scalar(const SeriesView& series, const Number& value,
                        const ExemplarView* /*exemplar*/) {
  sample("", series, {}, value);
}

void TextWriter::histogram(const SeriesView& series, const HistogramView& histogram) {
  for (size_t i = 0; i < histogram.le.size(); ++i) {
    sample("_bucket", series, {"le", histogram.le[i]}, Number::of_count(histogram.cumulative[i]));
  }
  sample("_sum", series, {}, histogram.sum);
  sample("_count", series, {}, Number::of_count(histogram.cumulative.back()));
}

void TextWriter::summary(const SeriesView& series, const SummaryView& summary) {
  for (size_t i = 0; i < summary.quantiles.size(); ++i) {
    const std::string quantile = float_text(summary.quantiles[i]);
    sample("", series, {"quantile", quantile}, Number::of(summary.values[i]));
  }
  sample("_sum", series, {}, Number::of(summary.sum));
  sample("_count", series, {}, Number::of_count(summary.count));
}

}  // namespace inferometer
