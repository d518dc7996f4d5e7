#include "serving/recorder_natives.h"

#include <algorithm>
#include <utility>

namespace inferometer {

void RecorderNatives::attach(Which which, std::shared_ptr<Series> series, size_t instances) {
  // Buckets are reserved for these, so that recording allocates nothing.
  constexpr double kShortest = 1e-9;
  constexpr double kLongest = 1e5;  // seconds: more than a day
  constexpr double kMostRows = 1 << 20;
  Cells& cells = cells_[which];
  cells.callers = series->attach_native();
  if (!cells.callers) return;
  cells.series = std::move(series);
  const double low = which == kBatchSize ? 1 : kShortest;
  const double high = which == kBatchSize ? kMostRows : kLongest;
  cells.callers->reserve(low, high);
  for (size_t i = 0; i < instances; ++i) {
    cells.instances.push_back(cells.series->attach_native());
    cells.instances.back()->reserve(low, high);
  }
}

bool RecorderNatives::any() const noexcept {
  return std::ranges::any_of(cells_, [](const Cells& cells) { return cells.callers != nullptr; });
}

void RecorderNatives::detach() {
  for (Cells& cells : cells_) {
    if (!cells.series) continue;
    for (const auto& instance : cells.instances) cells.series->detach_native(*instance);
    cells.series->detach_native(*cells.callers);
    cells.series.reset();
  }
}

}  // namespace inferometer
