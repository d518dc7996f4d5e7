// A clock that stands still until it is told otherwise.
#pragma once

#include <atomic>
#include <cstdint>

#include "inferometer/clock.h"

namespace inferometer {

/// Thread-safe.
class StoppedClock final : public Clock {
 public:
  explicit StoppedClock(int64_t now_ns) : now_ns_(now_ns) {}
  [[nodiscard]] int64_t now_ns() const noexcept override { return now_ns_; }
  void advance(int64_t ns) noexcept { now_ns_ += ns; }

 private:
  std::atomic<int64_t> now_ns_;
};

}  // namespace inferometer
