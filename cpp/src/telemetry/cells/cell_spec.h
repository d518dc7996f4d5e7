// What all series of an application's metric have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/metric_type.h"

namespace inferometer {

/// prometheus_client's metric types.
enum class CellType : uint8_t { kCounter, kGauge, kSummary, kHistogram, kInfo, kStateSet };

/// The type that a family of these has in an exposition.
[[nodiscard]] constexpr MetricType metric_type(CellType type) noexcept {
  switch (type) {
    case CellType::kCounter:
      return MetricType::kCounter;
    case CellType::kSummary:
      return MetricType::kSummary;
    case CellType::kHistogram:
      return MetricType::kHistogram;
    default:
      return MetricType::kGauge;
  }
}

/// Upper bounds of a histogram, ascending, +Inf last, and how they are written.
struct CellBounds {
  std::vector<double> upper;
  std::vector<std::string> text;

  /// Adds +Inf if it is not there. Throws ConfigError unless the bounds ascend (equal neighbours
  /// are allowed, as in prometheus_client; NaN is not) and one is finite.
  [[nodiscard]] static std::shared_ptr<const CellBounds> of(std::vector<double> upper);
};

/// A value type; constant once its family exists.
struct CellSpec {
  CellType type = CellType::kCounter;
  std::string name;  ///< Without `_total`.
  std::string help;  ///< Not escaped.
  std::string unit;
  std::vector<std::string> label_names;
  std::shared_ptr<const CellBounds> bounds = nullptr;  ///< A histogram's.
  bool sorted_labels = true;       ///< Shown sorted by name, else in the order of the names.
  bool native_histograms = false;  ///< Histograms get native buckets beside the classic ones.
};

}  // namespace inferometer
