// Keeps registries usable in a forked child.
#pragma once

namespace inferometer {

class Storage;

/// fork() copies only the calling thread, so a lock that another thread holds at that moment stays
/// locked in the child for ever. While a Storage is watched, fork() first takes its locks and gives
/// them back on both sides. Locks inside foreign Collectables are not ours to take: a child whose
/// parent was being scraped through one may hang in it.
/// Thread-safe.
void watch_forks(Storage* storage);
/// Must be the first thing that ~Storage does.
void unwatch_forks(Storage* storage) noexcept;

}  // namespace inferometer
