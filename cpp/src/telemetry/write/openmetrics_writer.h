// OpenMetrics 1.0 text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "telemetry/write/sample_lines.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Collects the exposition in one string. Counters whose names do not end in _total (Triton's) are
/// written as `unknown`: the format has no other place for them. Single-owner.
class OpenMetricsWriter final : public Sink {
 public:
  /// `with_created` adds a `_created` sample for each counter, histogram and summary whose time is
  /// known; Prometheus stores each as one more series.
  explicit OpenMetricsWriter(size_t expected_bytes = 0, bool with_created = false)
      : lines_(expected_bytes), with_created_(with_created) {}

  void family(const FamilyView& family) override;
  void scalar(const SeriesView& series, const Number& value, const ExemplarView* exemplar) override;
  void histogram(const SeriesView& series, const HistogramView& histogram) override;
  void summary(const SeriesView& series, const SummaryView& summary) override;

  /// The exposition, ended by its `# EOF`.
  [[nodiscard]] std::string text() &&;

 private:
  void sample(std::string_view suffix, const SeriesView& series, ExtraLabel extra,
              const Number& value, const ExemplarView* exemplar = nullptr);
  void created(const SeriesView& series);

  SampleLines lines_;
  const bool with_created_;
  std::string name_;  // without _total
  bool counter_ = false;
};

}  // namespace inferometer
