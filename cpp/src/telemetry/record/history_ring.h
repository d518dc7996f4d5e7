// The past of one series, and the times that all series share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/catalogue.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// When a sample was taken: `wall_ns` is shown, `steady_ns` tells how long ago it was.
struct HistoryTime {
  int64_t wall_ns = 0;
  int64_t steady_ns = 0;
};

/// Memory of the times of so many samples.
[[nodiscard]] constexpr size_t history_times_bytes(size_t samples) noexcept {
  return samples * sizeof(HistoryTime);
}

/// A row of values for each of the last `samples` ticks; ticks are numbered from 0. A row of a
/// counter or gauge is its value; of a histogram, its cumulative buckets and then its sum.
/// Single-owner.
class HistoryRing {
 public:
  /// Takes no memory for rows yet.
  HistoryRing(Metric metric, std::string_view labels, size_t width, size_t samples);

  /// What one ring costs its owner, names and room for rows included.
  [[nodiscard]] static size_t bytes(std::string_view labels, size_t width, size_t samples) noexcept;
  [[nodiscard]] size_t bytes() const noexcept;

  [[nodiscard]] Metric metric() const noexcept { return metric_; }
  /// As SeriesView has them.
  [[nodiscard]] const std::string& label_text() const noexcept { return label_text_; }
  [[nodiscard]] size_t width() const noexcept { return width_; }

  /// Takes the memory for rows, which the first push() needs. Throws std::bad_alloc.
  void reserve();
  /// Stores `width` values. Ticks ascend; those between two pushes had no row.
  void push(uint64_t tick, std::span<const double> row) noexcept;
  /// The value of one of the last `samples` ticks up to now, NaN if it had no row.
  [[nodiscard]] double at(uint64_t tick, size_t column) const noexcept;
  /// Whether none of the `samples` ticks before `now` had a row.
  [[nodiscard]] bool empty_at(uint64_t now) const noexcept { return end_ + samples_ <= now; }

 private:
  [[nodiscard]] double* row_of(uint64_t tick) const noexcept {
    return rows_.get() + (tick % samples_) * width_;
  }

  // Constant after construction.
  const Metric metric_;
  const size_t width_;
  const size_t samples_;
  const std::string label_text_;

  std::unique_ptr<double[]> rows_;  // uninitialised but for ticks in [begin_, end_)
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

}  // namespace inferometer
