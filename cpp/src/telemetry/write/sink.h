// What the registry tells a writer: the families in order, each with its series. A new format is a
// new Sink.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metric_type.h"

namespace inferometer {

/// An integer or a double; they print differently.
struct Number {
  double real = 0;
  int64_t integer = 0;
  bool is_integer = false;

  [[nodiscard]] static Number of(int64_t value) noexcept {
    return {static_cast<double>(value), value, true};
  }
  [[nodiscard]] static Number of(double value) noexcept { return {value, 0, false}; }
  [[nodiscard]] static Number of_count(uint64_t value) noexcept {
    return of(static_cast<int64_t>(value));
  }
};

// The views below are valid during the call that passes them.

struct FamilyView {
  std::string_view name;  ///< As exposed: counters end in _total.
  std::string_view help;  ///< Not escaped.
  MetricType type = MetricType::kUntyped;
};

struct LabelsView {
  std::string_view text;  ///< `a="x",b="y"`, escaped, without braces.
  std::span<const std::string> names;
  std::span<const std::string> values;
};

struct HistogramView {
  std::span<const double> bounds;        ///< Ascending, +Inf last.
  std::span<const std::string> le;       ///< The bounds as text.
  std::span<const uint64_t> cumulative;  ///< One per bound; the last one is the count.
  Number sum;
};

struct SummaryView {
  std::span<const double> quantiles;
  std::span<const double> values;  ///< One per quantile.
  uint64_t count = 0;
  double sum = 0;
};

/// Receives an exposition. Series follow the family they belong to, each family comes once and has
/// at least one series. Called under the registry's lock: it must not call the registry.
/// Single-owner.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void family(const FamilyView& family) = 0;
  /// A counter, gauge or untyped series. `timestamp_ms` is 0 for "now".
  virtual void scalar(const LabelsView& labels, const Number& value, int64_t timestamp_ms) = 0;
  virtual void histogram(const LabelsView& labels, const HistogramView& histogram,
                         int64_t timestamp_ms) = 0;
  virtual void summary(const LabelsView& labels, const SummaryView& summary,
                       int64_t timestamp_ms) = 0;
};

}  // namespace inferometer
