#include "serving/own_time.h"

#include <algorithm>

#include "inferometer/request.h"

namespace inferometer {
namespace {

int64_t measure_clock_cost(const Clock& clock) {
  int64_t best = kNever;
  for (int i = 0; i < 32; ++i) {
    const int64_t start = clock.now_ns();
    best = std::min(best, clock.now_ns() - start);
  }
  return std::max<int64_t>(best, 0);
}

}  // namespace

OwnTime::OwnTime(const Clock& clock) : clock_(clock), clock_cost_ns_(measure_clock_cost(clock)) {}

uint64_t OwnTime::end(const Stretch& stretch) const noexcept {
  if (stretch.weight == 0) return 0;
  // Of its two reads a stretch sees the second half of one and the first half of the other.
  const int64_t recording = clock_.now_ns() - stretch.since_ns - clock_cost_ns_;
  return static_cast<uint64_t>(std::max<int64_t>(recording, 0)) * stretch.weight +
         2 * static_cast<uint64_t>(clock_cost_ns_);
}

}  // namespace inferometer
