// Looks one sample up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "inferometer/registry.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Finds the value of the sample with this name (`x_bucket`, `x_sum`, ... of a histogram) and
/// exactly these labels. Both must outlive it. Single-owner.
class SampleFinder final : public Sink {
 public:
  SampleFinder(std::string_view name, const Registry::LabelSet& labels)
      : name_(name), labels_(labels) {}

  [[nodiscard]] std::optional<double> value() const noexcept { return value_; }

  void family(const FamilyView& family) override;
  void scalar(const SeriesView& series, const Number& value, const ExemplarView* exemplar) override;
  void histogram(const SeriesView& series, const HistogramView& histogram) override;
  void summary(const SeriesView& series, const SummaryView& summary) override;

 private:
  // Whether the wanted labels are `labels` and, unless its name is empty, the extra one.
  [[nodiscard]] bool matches(std::string_view labels, std::string_view extra_name,
                             std::string_view extra_value) const;

  const std::string_view name_;
  const Registry::LabelSet& labels_;
  bool in_family_ = false;
  std::string_view suffix_;  // what name_ adds to the present family's name
  std::optional<double> value_;
};

}  // namespace inferometer
