// Which families an exposition has.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "telemetry/write/sink.h"

namespace inferometer {

/// Collects the names as exposed, and nothing else. Single-owner.
class FamilyNames final : public Sink {
 public:
  void family(const FamilyView& family) override { names_.emplace_back(family.name); }
  void scalar(const SeriesView& /*series*/, const Number& /*value*/,
              const ExemplarView* /*exemplar*/) override {}
  void histogram(const SeriesView& /*series*/, const HistogramView& /*histogram*/) override {}
  void summary(const SeriesView& /*series*/, const SummaryView& /*summary*/) override {}

  [[nodiscard]] std::vector<std::string> names() && { return std::move(names_); }

 private:
  std::vector<std::string> names_;
};

}  // namespace inferometer
