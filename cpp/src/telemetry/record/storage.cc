#include "telemetry/record/storage.h"

#include <string>

#include "inferometer/errors.h"
#include "telemetry/record/fork_guard.h"

namespace inferometer {

Storage::Storage(size_t arena_bytes, size_t max_series)
    : arena(arena_bytes), max_series_(max_series) {
  watch_forks(this);
}

Storage::~Storage() { unwatch_forks(this); }

void Storage::add_app_series() {
  // Relaxed: the number alone matters, it publishes nothing.
  if (app_series_.fetch_add(1, std::memory_order_relaxed) < max_series_) return;
  remove_app_series();
  throw ConfigError("got one more metric series, want at most max_series = " +
                    std::to_string(max_series_));
}

void Storage::remove_app_series() noexcept { app_series_.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace inferometer
