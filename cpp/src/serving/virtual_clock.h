// The clock of a simulation.
#pragma once

#include <atomic>
#include <cstdint>

#include "inferometer/clock.h"

namespace inferometer {

/// Stands still until it is set. Thread-safe; one thread sets it.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override {
    return now_ns_.load(std::memory_order_relaxed);
  }
  void set(int64_t ns) noexcept { now_ns_.store(ns, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> now_ns_{0};
};

}  // namespace inferometer
