#include "telemetry/record/history_ring.h"

#include <algorithm>
#include <limits>

namespace inferometer {
namespace {

// For the ring itself, its place in an index, allocator headers. Generous.
constexpr size_t kFixedBytes = 512;

size_t bytes_of(size_t text_bytes, size_t width, size_t samples) noexcept {
  // One row more than is kept: what a sample is collected in, which may have grown to twice that.
  // The text counts twice: it is the index's key too.
  return kFixedBytes + 2 * text_bytes + (samples + 2) * width * sizeof(double);
}

}  // namespace

HistoryRing::HistoryRing(Metric metric, std::string_view labels, size_t width, size_t samples)
    : metric_(metric), width_(width), samples_(samples), label_text_(labels) {}

size_t HistoryRing::bytes(std::string_view labels, size_t width, size_t samples) noexcept {
  return bytes_of(labels.size(), width, samples);
}

size_t HistoryRing::bytes() const noexcept {
  return bytes_of(label_text_.size(), width_, samples_);
}

void HistoryRing::reserve() {
  if (rows_ == nullptr) rows_ = std::make_unique_for_overwrite<double[]>(samples_ * width_);
}

void HistoryRing::push(uint64_t tick, std::span<const double> row) noexcept {
  if (begin_ == end_ || empty_at(tick)) begin_ = end_ = tick;
  for (; end_ < tick; ++end_) {
    std::fill_n(row_of(end_), width_, std::numeric_limits<double>::quiet_NaN());
  }
  std::ranges::copy(row, row_of(tick));
  end_ = tick + 1;
}

double HistoryRing::at(uint64_t tick, size_t column) const noexcept {
  if (tick < begin_ || tick >= end_) return std::numeric_limits<double>::quiet_NaN();
  return row_of(tick)[column];
}

}  // namespace inferometer
