#include "inferometer/history.h"

#include <string>

#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "telemetry/record/history_ring.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

constexpr double kMinInterval = 0.01;
constexpr double kMaxInterval = 3600;
constexpr double kMaxSamples = 100'000;

}  // namespace

size_t HistoryOptions::samples() const {
  if (!(interval_seconds >= kMinInterval && interval_seconds <= kMaxInterval)) {
    throw ConfigError("history interval: got " + float_text(interval_seconds) + " s, want " +
                      float_text(kMinInterval) + " to " + float_text(kMaxInterval));
  }
  if (!(seconds >= interval_seconds && seconds <= interval_seconds * kMaxSamples)) {
    throw ConfigError("history seconds: got " + float_text(seconds) + ", want " +
                      float_text(interval_seconds) + " to " +
                      float_text(interval_seconds * kMaxSamples) +
                      " (1 to 100000 samples at this interval)");
  }
  // In nanoseconds, so that 0.3 s at 0.1 s are three samples.
  const int64_t interval_ns = seconds_to_ns(interval_seconds);
  const auto count = static_cast<size_t>((seconds_to_ns(seconds) + interval_ns - 1) / interval_ns);
  const size_t least = history_times_bytes(count);
  if (max_bytes < static_cast<int64_t>(least)) {
    throw ConfigError("history max_bytes: got " + std::to_string(max_bytes) + ", want " +
                      std::to_string(least) + " or more (the times of " + std::to_string(count) +
                      " samples)");
  }
  return count;
}

}  // namespace inferometer
