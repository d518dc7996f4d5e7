// Samples at fixed times.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace inferometer {

/// When to tick after `now`: the first of start + interval, start + 2 intervals, ... that is still
/// to come. Lateness does not add up, and what was missed (a process that was stopped, a suspended
/// machine) is not made up for.
[[nodiscard]] int64_t next_tick(int64_t start_ns, int64_t interval_ns, int64_t now_ns) noexcept;

/// One thread that sleeps from tick to tick, on steady_clock(). Thread-safe.
class HistoryThread {
 public:
  /// Starts it; the first tick is one interval away. `tick` is called without a lock and must not
  /// throw. Throws std::system_error.
  HistoryThread(int64_t interval_ns, std::function<void()> tick);
  ~HistoryThread();
  HistoryThread(const HistoryThread&) = delete;
  HistoryThread& operator=(const HistoryThread&) = delete;

 private:
  void loop();

  // Constant after construction.
  const int64_t interval_ns_;
  const std::function<void()> tick_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace inferometer
