// Families that foreign collectors hand us, and how they join our exposition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "telemetry/metric_type.h"
#include "telemetry/record/names.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// A copy of one series as it was collected. A value type.
struct ForeignSeries {
  std::vector<std::string> label_names;
  std::vector<std::string> label_values;
  int64_t timestamp_ms = 0;
  double value = 0;  ///< Counters, gauges, untyped.
  // Histograms: bounds ascend and end with +Inf, one cumulative count each. Summaries: bounds are
  // the quantiles, one of `quantile_values` each.
  std::vector<double> bounds;
  std::vector<uint64_t> cumulative;
  std::vector<double> quantile_values;
  uint64_t count = 0;
  double sum = 0;

  /// Whether it can be shown: valid and distinct label names, UTF-8, sound buckets.
  [[nodiscard]] bool valid(MetricType type) const;
};

struct ForeignFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kUntyped;
  std::vector<ForeignSeries> series;
};

/// What a collector gave at one time. A value type.
struct Collected {
  std::vector<ForeignFamily> families;
  uint64_t dropped = 0;  ///< Series that could not be represented.
  uint64_t errors = 0;   ///< Parts of it that failed and are left out.
};

/// The foreign families of one exposition: brings families of one name and type together and leaves
/// out what would make the exposition invalid, counting it. Single-owner.
class ForeignFamilies {
 public:
  /// Takes a family in. Series that are not valid, of another type than the first family of this
  /// name, or there already, are dropped.
  void add(ForeignFamily family);
  /// Drops families that occupy names of ours without being the same family, and series for which
  /// `is_ours(family, series)`.
  void resolve(const NameTable& ours,
               const std::function<bool(const ForeignFamily&, const ForeignSeries&)>& is_ours);
  /// Takes out the family of this name, if there is one.
  [[nodiscard]] std::optional<ForeignFamily> take(const std::string& name);
  /// Gives what was not taken to the sink.
  void visit(Sink& sink) const;
  /// Counts series that were left out before they came here.
  void drop(uint64_t series) noexcept { dropped_ += series; }
  /// Series dropped so far.
  [[nodiscard]] uint64_t dropped() const noexcept { return dropped_; }

 private:
  std::vector<ForeignFamily> families_;  // in order of arrival
  std::map<std::string, size_t, std::less<>> index_;
  NameTable names_;
  std::set<std::string> seen_;  // family and labels of every series
  uint64_t dropped_ = 0;
};

void visit_series(const ForeignFamily& family, Sink& sink);

}  // namespace inferometer
