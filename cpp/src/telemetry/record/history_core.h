// What is behind a registry's history: the samples, taken and read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "inferometer/clock.h"
#include "inferometer/history.h"
#include "inferometer/registry.h"
#include "telemetry/record/history_ring.h"
#include "telemetry/record/history_rings.h"
#include "telemetry/record/history_sample.h"
#include "telemetry/record/history_sink.h"
#include "telemetry/record/registry_core.h"

namespace inferometer {

/// Takes a sample when told to; who tells it, and when, is not its business (HistoryThread, tests).
/// Lock order: its own lock, then the registry's. The registry's lock is held while values are
/// copied (HistorySink), not while they are stored or read.
/// Thread-safe.
class HistoryCore {
 public:
  struct Clocks {
    const Clock& wall = wall_clock();
    const Clock& steady = steady_clock();
  };

  /// Throws ConfigError as HistoryOptions::samples() does.
  HistoryCore(std::shared_ptr<RegistryCore> registry, const HistoryOptions& options, Clocks clocks);

  [[nodiscard]] const HistoryOptions& options() const noexcept { return options_; }

  /// Adds a sample of all the catalogue's series, in place of the oldest if there is no more room.
  /// Throws std::bad_alloc; nothing has been added then.
  void sample() EXCLUDES(mutex_);
  /// The same, but a sample that there is no memory for is counted as lost: the next one may find
  /// some.
  void sample_or_lose() noexcept EXCLUDES(mutex_);

  /// See Registry.
  [[nodiscard]] HistoryCurve curve(std::string_view name, const Registry::LabelSet& labels,
                                   double seconds) const EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Registry::LabelSet> series(std::string_view name) const
      EXCLUDES(mutex_);
  [[nodiscard]] HistoryStats stats() const EXCLUDES(mutex_);

 private:
  [[nodiscard]] const HistoryTime& time_locked(uint64_t tick) const REQUIRES(mutex_) {
    return times_[tick % times_.size()];
  }
  // The first tick that is still kept.
  [[nodiscard]] uint64_t oldest_locked() const REQUIRES(mutex_) {
    return ticks_ < times_.size() ? 0 : ticks_ - times_.size();
  }

  // Constant after construction.
  const std::shared_ptr<RegistryCore> registry_;
  const HistoryOptions options_;
  const Clocks clocks_;

  mutable Mutex mutex_;
  std::vector<HistoryTime> times_ GUARDED_BY(mutex_);  // of tick i in place i % size()
  uint64_t ticks_ GUARDED_BY(mutex_) = 0;              // so far; the next one has this number
  HistoryRings rings_ GUARDED_BY(mutex_);
  HistorySink sink_ GUARDED_BY(mutex_);
  size_t lost_ GUARDED_BY(mutex_) = 0;
};

}  // namespace inferometer
