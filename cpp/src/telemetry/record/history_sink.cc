#include "telemetry/record/history_sink.h"

#include <algorithm>
#include <span>

namespace inferometer {

void HistorySink::begin() noexcept {
  metric_ = nullptr;
  position_ = 0;
  left_out_ = 0;
  values_.clear();
}

void HistorySink::commit(uint64_t tick) {
  // What the last walk saw beyond the end of this one may be gone when the next one begins.
  series_.resize(position_);
  for (HistoryRing* const ring : series_) ring->reserve();
  const double* row = values_.data();
  for (HistoryRing* const ring : series_) {
    ring->push(tick, std::span(row, ring->width()));
    row += ring->width();
  }
}

void HistorySink::family(const FamilyView& family) {
  const auto all = catalogue();
  const auto found = std::ranges::find(all, family.name, &MetricInfo::name);
  metric_ = found == all.end() ? nullptr : &*found;
}

bool HistorySink::next(std::string_view labels, size_t width) {
  if (metric_ == nullptr) return false;
  const Metric metric = metric_->metric;
  HistoryRing* ring = position_ < series_.size() ? series_[position_] : nullptr;
  if (ring == nullptr || ring->metric() != metric || ring->label_text() != labels) {
    ring = rings_.get(metric, labels, width);
    if (ring == nullptr) {
      ++left_out_;
      return false;
    }
    if (position_ == series_.size()) series_.push_back(ring);
    series_[position_] = ring;
  }
  ++position_;
  return true;
}

void HistorySink::scalar(const SeriesView& series, const Number& value,
                         const ExemplarView* /*exemplar*/) {
  if (next(series.labels, 1)) values_.push_back(value.real);
}

void HistorySink::histogram(const SeriesView& series, const HistogramView& histogram) {
  if (!next(series.labels, histogram.cumulative.size() + 1)) return;
  for (const uint64_t count : histogram.cumulative) values_.push_back(static_cast<double>(count));
  values_.push_back(histogram.sum.real);
}

void HistorySink::summary(const SeriesView& /*series*/, const SummaryView& /*summary*/) {
  // The catalogue has none.
}

}  // namespace inferometer
