// What all series of a catalogue family have in common.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/catalogue.h"
#include "telemetry/metric_type.h"

namespace inferometer {

/// A value type; constant once its family exists.
struct FamilySpec {
  std::string name;  ///< As exposed: counters end in _total.
  std::string help;
  MetricType type = MetricType::kCounter;
  Unit unit = Unit::kFloat;
  std::string_view unit_name;  ///< What the name ends with, see unit_of().
  Combine combine = Combine::kSum;
  std::vector<std::string> label_names;
  std::vector<double> bounds;      ///< Histograms: in the exposed unit, +Inf last. Others: empty.
  std::vector<std::string> le;     ///< The bounds as text.
  bool native_histograms = false;  ///< Histograms get native buckets beside the classic ones.

  /// The family of a catalogue entry.
  [[nodiscard]] static FamilySpec of(const MetricInfo& info);
  /// Words of one series or stripe, laid out as in histogram_cells.h.
  [[nodiscard]] size_t words() const noexcept { return bounds.empty() ? 1 : bounds.size() + 1; }
};

}  // namespace inferometer
