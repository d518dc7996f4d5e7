// Takes one sample of everything that is shown to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "telemetry/catalogue.h"
#include "telemetry/record/history_rings.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// A sample is begin(), one walk over the catalogue's families, and commit(). The walk happens
/// under the registry's lock, so it does no more than copy values into one row of scratch and find
/// the rings they belong to: the series of one walk are nearly always those of the last one, in the
/// same order. Taking memory for rings, and filling them, is left to commit(). Single-owner.
class HistorySink final : public Sink {
 public:
  /// Both must outlive it.
  explicit HistorySink(HistoryRings& rings) : rings_(rings) {}

  void begin() noexcept;
  /// Stores what the walk saw as the row of `tick`. Throws std::bad_alloc, having stored nothing.
  void commit(uint64_t tick);

  /// Series that the walk found no room for.
  [[nodiscard]] size_t left_out() const noexcept { return left_out_; }
  /// Series that it found room for.
  [[nodiscard]] size_t kept() const noexcept { return position_; }

  void family(const FamilyView& family) override;
  void scalar(const SeriesView& series, const Number& value, const ExemplarView* exemplar) override;
  void histogram(const SeriesView& series, const HistogramView& histogram) override;
  void summary(const SeriesView& series, const SummaryView& summary) override;

 private:
  // Notes that the next `width` values are those of this series. False if there is no room.
  [[nodiscard]] bool next(std::string_view labels, size_t width);

  HistoryRings& rings_;
  const MetricInfo* metric_ = nullptr;  // of the present family; null if it is not the catalogue's
  std::vector<HistoryRing*> series_;    // of this walk up to position_, of the last one beyond
  size_t position_ = 0;
  size_t left_out_ = 0;
  std::vector<double> values_;
};

}  // namespace inferometer
