// What a registry, its families and its series share, and what outlives the registry while handles
// do: the lock, the memory, the bounds.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/arena.h"
#include "base/mutex.h"
#include "base/word.h"

namespace inferometer {

/// Held by shared_ptr from registry, families and series; refers to none of them.
/// Lock order: mutex, then the arena's own lock. fork() waits for both (see fork_guard.h), so that
/// the child finds them free.
/// Thread-safe.
class Storage {
 public:
  Storage(size_t arena_bytes, size_t max_series_per_family);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  /// Guards the registry's tables, its families and what is attached to their series.
  Mutex mutex;
  Arena arena;
  /// Exposed as inferometer_dropped_series_total and inferometer_collector_errors_total.
  Word dropped_series{0};
  Word collector_errors{0};
  /// Bound on the series of each of the application's metrics.
  std::atomic<size_t> max_series_per_family;
};

}  // namespace inferometer
