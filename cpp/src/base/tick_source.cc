#include "base/tick_source.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "inferometer/clock.h"

namespace inferometer {
namespace {

// Two readings of the clock, 30 ns uncertain each, this far apart: a tick is known to 0.003 %.
constexpr int64_t kCalibrationNs = 2'000'000;

// The kernel uses the counter itself if it runs at one rate on all processors at all times.
bool kernel_trusts_counter() {
#if defined(__x86_64__)
  std::string source;
  std::ifstream("/sys/devices/system/clocksource/clocksource0/current_clocksource") >> source;
  constexpr std::array<std::string_view, 3> kOnCounter{"tsc", "kvm-clock",
                                                       "hyperv_clocksource_tsc_page"};
  return std::ranges::find(kOnCounter, source) != kOnCounter.end();
#else
  return false;
#endif
}

int64_t counter() noexcept {
#if defined(__x86_64__)
  return static_cast<int64_t>(__builtin_ia32_rdtsc());
#else
  return 0;
#endif
}

struct Reading {
  int64_t ns;
  int64_t ticks;
};

Reading read() noexcept { return {steady_clock().now_ns(), counter()}; }

const Reading kBeginning = read();

}  // namespace

TickSource::TickSource() {
  if (!kernel_trusts_counter()) return;
  Reading end = read();
  while (end.ns - kBeginning.ns < kCalibrationNs) end = read();
  if (end.ticks <= kBeginning.ticks) return;
  counter_ = true;
  ns_per_tick_ = static_cast<double>(end.ns - kBeginning.ns) /
                 static_cast<double>(end.ticks - kBeginning.ticks);
}

int64_t TickSource::now() const noexcept { return counter_ ? counter() : steady_clock().now_ns(); }

}  // namespace inferometer
