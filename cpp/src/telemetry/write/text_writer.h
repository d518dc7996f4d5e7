// The Prometheus text formats 0.0.4 and 1.0.0. They differ in names that we do not allow (1.0.0
// quotes names that are not [a-zA-Z_:][a-zA-Z0-9_:]*), so one writer serves both.
#pragma once

#include <cstddef>
#include <string>

#include "telemetry/write/sample_lines.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Collects the exposition in one string. Single-owner.
class TextWriter final : public Sink {
 public:
  /// Makes room for `expected_bytes` at once.
  explicit TextWriter(size_t expected_bytes = 0) : lines_(expected_bytes) {}

  void family(const FamilyView& family) override;
  void scalar(const SeriesView& series, const Number& value, const ExemplarView* exemplar) override;
  void histogram(const SeriesView& series, const HistogramView& histogram) override;
  void summary(const SeriesView& series, const SummaryView& summary) override;

  [[nodiscard]] std::string text() && { return std::move(lines_).text(); }

 private:
  void sample(std::string_view suffix, const SeriesView& series, ExtraLabel extra,
              const Number& value);

  SampleLines lines_;
  std::string name_;
};

}  // namespace inferometer
