// Prometheus' delimited protobuf: io.prometheus.client.MetricFamily messages, each after its
// length.
#pragma once

#include <cstddef>
#include <string>

#include "telemetry/metric_type.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Collects the exposition in one string. Histograms carry their classic buckets, and their native
/// ones where they have them. Numbers are doubles (integers up to 2^53 are exact). Single-owner.
class ProtobufWriter final : public Sink {
 public:
  explicit ProtobufWriter(size_t expected_bytes = 0) { out_.reserve(expected_bytes); }

  void family(const FamilyView& family) override;
  void scalar(const SeriesView& series, const Number& value, const ExemplarView* exemplar) override;
  void histogram(const SeriesView& series, const HistogramView& histogram) override;
  void summary(const SeriesView& series, const SummaryView& summary) override;

  [[nodiscard]] std::string bytes() &&;

 private:
  void end_family();
  // Adds the Metric whose value is value_, in the field of this number.
  void add_metric(const SeriesView& series, int value_field);

  std::string out_;     // whole families
  std::string family_;  // the MetricFamily being written
  std::string metric_;  // scratch: the Metric being written
  std::string value_;   // scratch: its Counter, Gauge, Histogram, ...
  std::string part_;    // scratch: messages inside
  MetricType type_ = MetricType::kUntyped;
};

}  // namespace inferometer
