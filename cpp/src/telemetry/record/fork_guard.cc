#include "telemetry/record/fork_guard.h"

#include <pthread.h>

#include <algorithm>
#include <vector>

#include "base/mutex.h"
#include "telemetry/cells/cell_lock.h"
#include "telemetry/record/storage.h"

namespace inferometer {
namespace {

struct Watched {
  // Held from before fork() to after it, so the list cannot change in between.
  Mutex mutex;
  std::vector<Storage*> storages GUARDED_BY(mutex);
};

void before_fork();
void after_fork();

Watched& watched() {
  // Never destroyed: registries may be static, and a child may fork while the process ends.
  static Watched* const instance = [] {
    pthread_atfork(before_fork, after_fork, after_fork);
    return new Watched;
  }();
  return *instance;
}

// Lock order: the list, the registries in order of creation, each with its arena, the cells. Nobody
// takes the list's lock while holding one of the others, nor two registries at once.
void before_fork() NO_THREAD_SAFETY_ANALYSIS {
  Watched& list = watched();
  list.mutex.lock();
  for (Storage* storage : list.storages) {
    storage->mutex.lock();
    storage->arena.lock_for_fork();
  }
  cells_mutex().lock();
}

void after_fork() NO_THREAD_SAFETY_ANALYSIS {
  Watched& list = watched();
  cells_mutex().unlock();
  for (Storage* storage : list.storages) {
    storage->arena.unlock_after_fork();
    storage->mutex.unlock();
  }
  list.mutex.unlock();
}

}  // namespace

void watch_forks(Storage* storage) {
  Watched& list = watched();
  MutexLock lock(list.mutex);
  list.storages.push_back(storage);
}

void unwatch_forks(Storage* storage) noexcept {
  Watched& list = watched();
  MutexLock lock(list.mutex);
  std::erase(list.storages, storage);
}

}  // namespace inferometer
