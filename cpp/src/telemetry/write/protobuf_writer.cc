#include "telemetry/write/protobuf_writer.h"

#include <utility>

#include "telemetry/write/label_text.h"
#include "telemetry/write/protobuf_fields.h"

namespace inferometer {
namespace {

using protobuf::append_bytes;
using protobuf::append_double;
using protobuf::append_sint;
using protobuf::append_uint;

// Field numbers of io.prometheus.client (client_model/metrics.proto).
namespace family_field {
constexpr int kName = 1, kHelp = 2, kType = 3, kMetric = 4, kUnit = 5;
}
namespace metric_field {
constexpr int kLabel = 1, kGauge = 2, kCounter = 3, kSummary = 4, kUntyped = 5, kTimestampMs = 6,
              kHistogram = 7;
}
namespace label_field {
constexpr int kName = 1, kValue = 2;
}
namespace counter_field {
constexpr int kValue = 1, kExemplar = 2, kStart = 3;
}
namespace summary_field {
constexpr int kCount = 1, kSum = 2, kQuantile = 3, kStart = 4;
}
namespace quantile_field {
constexpr int kQuantile = 1, kValue = 2;
}
namespace bucket_field {
constexpr int kCumulativeCount = 1, kUpperBound = 2, kExemplar = 3;
}
namespace exemplar_field {
constexpr int kLabel = 1, kValue = 2, kTimestamp = 3;
}
namespace timestamp_field {
constexpr int kSeconds = 1, kNanos = 2;
}
namespace histogram_field {
constexpr int kCount = 1, kSum = 2, kBucket = 3, kSchema = 5, kZeroThreshold = 6, kZeroCount = 7,
              kNegativeSpan = 9, kNegativeDelta = 10, kPositiveSpan = 12, kPositiveDelta = 13,
              kStart = 15, kExemplars = 16;
}
namespace span_field {
constexpr int kOffset = 1, kLength = 2;
}

// io.prometheus.client.MetricType.
uint64_t type_number(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return 0;
    case MetricType::kGauge:
      return 1;
    case MetricType::kSummary:
      return 2;
    case MetricType::kHistogram:
      return 4;
    case MetricType::kUntyped:
      break;
  }
  return 3;
}

void append_labels(std::string& message, int field, std::string_view labels) {
  std::string pair;
  for (LabelReader reader(labels); reader.next();) {
    pair.clear();
    append_bytes(pair, label_field::kName, reader.name());
    append_bytes(pair, label_field::kValue, reader.value());
    append_bytes(message, field, pair);
  }
}

void append_timestamp(std::string& message, int field, int64_t ns) {
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  int64_t seconds = ns / kNanosPerSecond;
  int64_t nanos = ns % kNanosPerSecond;
  if (nanos < 0) {  // nanos count forward, also before 1970
    nanos += kNanosPerSecond;
    --seconds;
  }
  std::string timestamp;
  append_uint(timestamp, timestamp_field::kSeconds, static_cast<uint64_t>(seconds));
  append_uint(timestamp, timestamp_field::kNanos, static_cast<uint64_t>(nanos));
  append_bytes(message, field, timestamp);
}

void append_exemplar(std::string& message, int field, const ExemplarView& exemplar) {
  std::string inner;
  append_labels(inner, exemplar_field::kLabel, exemplar.labels);
  append_double(inner, exemplar_field::kValue, exemplar.value);
  if (exemplar.timestamp_ns != 0) {
    append_timestamp(inner, exemplar_field::kTimestamp, exemplar.timestamp_ns);
  }
  append_bytes(message, field, inner);
}

void append_span(std::string& message, int field, int64_t offset, uint64_t length) {
  std::string span;
  append_sint(span, span_field::kOffset, offset);
  append_uint(span, span_field::kLength, length);
  append_bytes(message, field, span);
}

// Runs of neighbouring buckets as spans, then every count as the difference to the one before.
void append_buckets(std::string& message, int span_number, int delta_number,
                    NativeHistogramView::Buckets buckets) {
  int64_t end_of_last = 0;
  for (size_t begin = 0; begin < buckets.size();) {
    size_t end = begin + 1;
    while (end < buckets.size() && buckets[end].first == buckets[end - 1].first + 1) ++end;
    append_span(message, span_number, buckets[begin].first - end_of_last, end - begin);
    end_of_last = int64_t{buckets[end - 1].first} + 1;
    begin = end;
  }
  int64_t before = 0;
  for (const auto& [index, count] : buckets) {
    append_sint(message, delta_number, static_cast<int64_t>(count) - before);
    before = static_cast<int64_t>(count);
  }
}

void append_native(std::string& message, const NativeHistogramView& native) {
  append_sint(message, histogram_field::kSchema, native.schema);
  append_double(message, histogram_field::kZeroThreshold, native.zero_threshold);
  append_uint(message, histogram_field::kZeroCount, native.zero_count);
  append_buckets(message, histogram_field::kNegativeSpan, histogram_field::kNegativeDelta,
                 native.negative);
  append_buckets(message, histogram_field::kPositiveSpan, histogram_field::kPositiveDelta,
                 native.positive);
  if (native.negative.empty() && native.positive.empty()) {
    // An empty span tells an empty native histogram from a classic one.
    append_span(message, histogram_field::kPositiveSpan, 0, 0);
  }
}

}  // namespace

void ProtobufWriter::end_family() {
  if (family_.empty()) return;
  protobuf::append_varint(out_, family_.size());
  out_ += family_;
  family_.clear();
}

void ProtobufWriter::family(const FamilyView& family) {
  end_family();
  type_ = family.type;
  append_bytes(family_, family_field::kName, family.name);
  append_bytes(family_, family_field::kHelp, family.help);
  append_uint(family_, family_field::kType, type_number(family.type));
  if (!family.unit.empty()) append_bytes(family_, family_field::kUnit, family.unit);
}

void ProtobufWriter::add_metric(const SeriesView& series, int value_field) {
  metric_.clear();
  append_labels(metric_, metric_field::kLabel, series.labels);
  append_bytes(metric_, value_field, value_);
  if (series.timestamp_ms != 0) {
    append_uint(metric_, metric_field::kTimestampMs, static_cast<uint64_t>(series.timestamp_ms));
  }
  append_bytes(family_, family_field::kMetric, metric_);
}

void ProtobufWriter::scalar(const SeriesView& series, const Number& value,
                            const ExemplarView* exemplar) {
  value_.clear();
  append_double(value_, counter_field::kValue, value.real);
  if (type_ != MetricType::kCounter) {
    add_metric(series, type_ == MetricType::kGauge ? metric_field::kGauge : metric_field::kUntyped);
    return;
  }
  if (exemplar != nullptr && exemplar->exists()) {
    append_exemplar(value_, counter_field::kExemplar, *exemplar);
  }
  if (series.created_ns != 0) append_timestamp(value_, counter_field::kStart, series.created_ns);
  add_metric(series, metric_field::kCounter);
}

void ProtobufWriter::histogram(const SeriesView& series, const HistogramView& histogram) {
  value_.clear();
  append_uint(value_, histogram_field::kCount, histogram.cumulative.back());
  append_double(value_, histogram_field::kSum, histogram.sum.real);
  for (size_t i = 0; i < histogram.bounds.size(); ++i) {
    part_.clear();
    append_uint(part_, bucket_field::kCumulativeCount, histogram.cumulative[i]);
    append_double(part_, bucket_field::kUpperBound, histogram.bounds[i]);
    if (!histogram.exemplars.empty() && histogram.exemplars[i].exists()) {
      append_exemplar(part_, bucket_field::kExemplar, histogram.exemplars[i]);
    }
    append_bytes(value_, histogram_field::kBucket, part_);
  }
  if (histogram.native != nullptr) append_native(value_, *histogram.native);
  if (series.created_ns != 0) append_timestamp(value_, histogram_field::kStart, series.created_ns);
  if (histogram.native != nullptr) {
    for (const ExemplarView& exemplar : histogram.exemplars) {
      // Native exemplars must have a time.
      if (!exemplar.exists() || exemplar.timestamp_ns == 0) continue;
      append_exemplar(value_, histogram_field::kExemplars, exemplar);
    }
  }
  add_metric(series, metric_field::kHistogram);
}

void ProtobufWriter::summary(const SeriesView& series, const SummaryView& summary) {
  value_.clear();
  append_uint(value_, summary_field::kCount, summary.count);
  append_double(value_, summary_field::kSum, summary.sum);
  for (size_t i = 0; i < summary.quantiles.size(); ++i) {
    part_.clear();
    append_double(part_, quantile_field::kQuantile, summary.quantiles[i]);
    append_double(part_, quantile_field::kValue, summary.values[i]);
    append_bytes(value_, summary_field::kQuantile, part_);
  }
  if (series.created_ns != 0) append_timestamp(value_, summary_field::kStart, series.created_ns);
  add_metric(series, metric_field::kSummary);
}

std::string ProtobufWriter::bytes() && {
  end_family();
  return std::move(out_);
}

}  // namespace inferometer
