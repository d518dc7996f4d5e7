#include "telemetry/write/text_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

std::string_view type_name(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
    case MetricType::kUntyped:
      break;
  }
  return "untyped";
}

char* put(char* out, std::string_view text) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

void TextWriter::family(const FamilyView& family) {
  name_ = family.name;
  std::string header = "# HELP " + name_ + " ";
  append_escaped_help(header, family.help);
  header.append("\n# TYPE ").append(name_).append(" ").append(type_name(family.type)).append("\n");
  put(reserve(header.size()), header);
  size_ += header.size();
}

char* TextWriter::reserve(size_t bytes) {
  if (text_.size() - size_ < bytes) text_.resize(std::max(2 * text_.size(), size_ + bytes + 4096));
  return text_.data() + size_;
}

void TextWriter::sample(std::string_view suffix, const LabelsView& labels, Extra extra,
                        const Number& value, int64_t timestamp_ms) {
  constexpr size_t kPunctuation = 16;  // braces, quotes, comma, equals sign, spaces, newline
  char* const start =
      reserve(name_.size() + suffix.size() + labels.text.size() + extra.name.size() +
              extra.value.size() + 2 * kMaxNumberChars + kPunctuation);
  char* out = put(put(start, name_), suffix);
  if (!labels.text.empty() || !extra.name.empty()) {
    *out++ = '{';
    out = put(out, labels.text);
    if (!extra.name.empty()) {
      if (!labels.text.empty()) *out++ = ',';
      out = put(put(put(put(out, extra.name), "=\""), extra.value), "\"");
    }
    *out++ = '}';
  }
  *out++ = ' ';
  out = write_number(out, value);
  if (timestamp_ms != 0) {
    *out++ = ' ';
    out = write_integer(out, timestamp_ms);
  }
  *out++ = '\n';
  size_ += static_cast<size_t>(out - start);
}

void TextWriter::scalar(const LabelsView& labels, const Number& value, int64_t timestamp_ms) {
  sample("", labels, {}, value, timestamp_ms);
}

void TextWriter::histogram(const LabelsView& labels, const HistogramView& histogram,
                           int64_t timestamp_ms) {
  for (size_t i = 0; i < histogram.le.size(); ++i) {
    sample("_bucket", labels, {"le", histogram.le[i]}, Number::of_count(histogram.cumulative[i]),
           timestamp_ms);
  }
  sample("_sum", labels, {}, histogram.sum, timestamp_ms);
  sample("_count", labels, {}, Number::of_count(histogram.cumulative.back()), timestamp_ms);
}

void TextWriter::summary(const LabelsView& labels, const SummaryView& summary,
                         int64_t timestamp_ms) {
  for (size_t i = 0; i < summary.quantiles.size(); ++i) {
    const std::string quantile = float_text(summary.quantiles[i]);
    sample("", labels, {"quantile", quantile}, Number::of(summary.values[i]), timestamp_ms);
  }
  sample("_sum", labels, {}, Number::of(summary.sum), timestamp_ms);
  sample("_count", labels, {}, Number::of_count(summary.count), timestamp_ms);
}

std::string TextWriter::text() && {
  text_.resize(size_);
  return std::move(text_);
}

}  // namespace inferometer
