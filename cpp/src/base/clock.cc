#include "inferometer/clock.h"

#include <chrono>
#include <cmath>
#include <limits>

#include "base/tick_source.h"

namespace inferometer {
namespace {

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  [[nodiscard]] int64_t ticks() const noexcept override { return source().now(); }
  [[nodiscard]] int64_t between_ns(int64_t from, int64_t to) const noexcept override {
    return source().between_ns(from, to);
  }

 private:
  static const TickSource& source() noexcept {
    static const TickSource source;
    return source;
  }
};

class WallClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

const Clock& wall_clock() noexcept {
  static const WallClock clock;
  return clock;
}

const Clock& steady_clock() noexcept {
  static const SteadyClock clock;
  return clock;
}

int64_t seconds_to_ns(double seconds) noexcept {
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  if (std::isnan(seconds)) return 0;
  const double ns = std::nearbyint(seconds * 1e9);
  if (ns >= static_cast<double>(kMax)) return kMax;
  if (ns <= -static_cast<double>(kMax)) return -kMax;
  return static_cast<int64_t>(ns);
}

}  // namespace inferometer
