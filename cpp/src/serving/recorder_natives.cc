#include "serving/recorder_natives.h"

#include <algorithm>
#include <utility>

namespace inferometer {

void RecorderNatives::attach(Which which, std::shared_ptr<Series> series) {
  // Buckets are reserved for these, so that recording allocates nothing.
  constexpr double kShortest = 1e-9;
  constexpr double kLongest = 1e5;  // seconds: more than a day
  constexpr double kMostRows = 1 << 20;
  Cells& cells = cells_[which];
  cells.instance = series->attach_native();
  if (!cells.instance) return;
  cells.series = std::move(series);
  cells.callers = cells.series->attach_native();
  const double low = which == kBatchSize ? 1 : kShortest;
  const double high = which == kBatchSize ? kMostRows : kLongest;
  cells.instance->reserve(low, high);
  cells.callers->reserve(low, high);
}

bool RecorderNatives::any() const noexcept {
  return std::ranges::any_of(cells_, [](const Cells& cells) { return cells.instance != nullptr; });
}

void RecorderNatives::detach() {
  for (Cells& cells : cells_) {
    if (!cells.series) continue;
    if (cells.instance) cells.series->detach_native(*cells.instance);
    if (cells.callers) cells.series->detach_native(*cells.callers);
    cells.series.reset();
  }
}

}  // namespace inferometer
