// Which row and column of a history a sample name and labels mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/family_spec.h"

namespace inferometer {

/// A sample name of the catalogue: that of a counter or gauge, or `x_bucket`, `x_sum`, `x_count` of
/// histogram `x`. A value type.
class HistorySample {
 public:
  /// Throws ConfigError with all names there are if it is none of them.
  explicit HistorySample(std::string_view name);

  [[nodiscard]] Metric metric() const noexcept { return metric_; }

  struct Place {
    std::string label_text;  ///< Of the series, as SeriesView has it.
    size_t column = 0;       ///< See HistoryRing.
    size_t columns = 1;      ///< As many from there on: all buckets if `le` is not given.
  };
  /// Throws ConfigError unless these are the names of the labels, each once, and `le` a bound.
  [[nodiscard]] Place place(const Registry::LabelSet& labels) const;
  /// Appends the label sets that a series with these labels has samples of this name for.
  void append_labels(std::string_view label_text, std::vector<Registry::LabelSet>& labels) const;

 private:
  enum class Part : uint8_t { kValue, kBucket, kSum, kCount };

  [[noreturn]] void refuse_labels(const Registry::LabelSet& labels) const;
  [[nodiscard]] size_t column_of(const std::string& le) const;

  const std::string name_;
  const Metric metric_;
  const FamilySpec spec_;
  const Part part_;
};

}  // namespace inferometer
