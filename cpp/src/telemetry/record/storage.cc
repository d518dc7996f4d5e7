#include "telemetry/record/storage.h"

#include "telemetry/record/fork_guard.h"

namespace inferometer {

Storage::Storage(size_t arena_bytes, size_t series_per_family)
    : arena(arena_bytes), max_series_per_family(series_per_family) {
  watch_forks(this);
}

Storage::~Storage() { unwatch_forks(this); }

}  // namespace inferometer
