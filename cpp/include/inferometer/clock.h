// Time, injectable so that policies, recorders and the simulator run on any clock.
#pragma once

#include <cstdint>

namespace inferometer {

/// A clock in nanoseconds since its origin, monotonic where not said otherwise. Implementations are
/// thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual int64_t now_ns() const noexcept = 0;
  /// A reading for durations alone, which may be cheaper than now_ns() and has another origin.
  [[nodiscard]] virtual int64_t ticks() const noexcept { return now_ns(); }
  /// Nanoseconds between two ticks().
  [[nodiscard]] virtual int64_t between_ns(int64_t from, int64_t to) const noexcept {
    return to - from;
  }
};

/// The process-wide CLOCK_MONOTONIC.
[[nodiscard]] const Clock& steady_clock() noexcept;

/// CLOCK_REALTIME since the epoch, for what tells dates: it may be set and go back.
[[nodiscard]] const Clock& wall_clock() noexcept;

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;

/// Seconds to nanoseconds, rounded to nearest and clamped to what int64_t holds.
[[nodiscard]] int64_t seconds_to_ns(double seconds) noexcept;
[[nodiscard]] constexpr double ns_to_seconds(int64_t ns) noexcept {
  return static_cast<double>(ns) * 1e-9;
}

}  // namespace inferometer
