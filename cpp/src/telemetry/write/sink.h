// What the registry tells a writer: the families in order, each with its series. A new format is a
// new Sink.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/metric_type.h"

namespace inferometer {

/// An integer or a double; they print differently.
struct Number {
  double real = 0;
  int64_t integer = 0;
  bool is_integer = false;
  bool is_plain = false;  ///< A double that is printed without an exponent.

  [[nodiscard]] static Number of(int64_t value) noexcept {
    return {static_cast<double>(value), value, true, false};
  }
  [[nodiscard]] static Number of(double value) noexcept { return {value, 0, false, false}; }
  [[nodiscard]] static Number of_plain(double value) noexcept { return {value, 0, false, true}; }
  [[nodiscard]] static Number of_count(uint64_t value) noexcept {
    return of(static_cast<int64_t>(value));
  }
};

// The views below are valid during the call that passes them.

struct FamilyView {
  std::string_view name;  ///< As exposed: counters end in _total.
  std::string_view help;  ///< Not escaped.
  MetricType type = MetricType::kUntyped;
  std::string_view unit = {};  ///< What the name ends with (before _total), or empty.
};

struct SeriesView {
  std::string_view labels = {};  ///< `a="x",b="y"`, as label_text() writes them.
  int64_t timestamp_ms = 0;      ///< Of the value, since the epoch; 0 for "now".
  int64_t created_ns = 0;  ///< When it began to count, since the epoch; 0 if that is not known.
};

/// One observation and the labels that tell where it came from (a trace id).
struct ExemplarView {
  std::string_view labels = {};  ///< As those of a series.
  double value = 0;
  int64_t timestamp_ns = 0;  ///< Since the epoch; 0 if it is not known.

  [[nodiscard]] bool exists() const noexcept { return !labels.empty(); }
};

/// Exponential buckets: bucket i counts values in (base^(i-1), base^i], base = 2^(2^-schema).
struct NativeHistogramView {
  using Buckets = std::span<const std::pair<int32_t, uint64_t>>;  // ascending index, counts > 0
  int schema = 0;
  double zero_threshold = 0;
  uint64_t zero_count = 0;
  Buckets negative = {};  ///< By absolute value.
  Buckets positive = {};
};

struct HistogramView {
  std::span<const double> bounds;        ///< Ascending, +Inf last.
  std::span<const std::string> le;       ///< The bounds as text.
  std::span<const uint64_t> cumulative;  ///< One per bound; the last one is the count.
  Number sum;
  std::span<const ExemplarView> exemplars = {};  ///< One per bound, or none at all.
  const NativeHistogramView* native = nullptr;   ///< The same observations; null: classic only.
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
  /// A counter, gauge or untyped series. `exemplar` is null or that of a counter.
  virtual void scalar(const SeriesView& series, const Number& value,
                      const ExemplarView* exemplar) = 0;
  virtual void histogram(const SeriesView& series, const HistogramView& histogram) = 0;
  virtual void summary(const SeriesView& series, const SummaryView& summary) = 0;
};

}  // namespace inferometer
