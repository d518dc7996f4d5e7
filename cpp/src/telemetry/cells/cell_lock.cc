#include "telemetry/cells/cell_lock.h"

#include <pthread.h>

namespace inferometer {
namespace {

void before_fork() NO_THREAD_SAFETY_ANALYSIS { cells_mutex().lock(); }
void after_fork() NO_THREAD_SAFETY_ANALYSIS { cells_mutex().unlock(); }

}  // namespace

Mutex& cells_mutex() {
  // Never destroyed: metrics are often static, and threads may record while the process ends.
  static Mutex* const instance = [] {
    pthread_atfork(before_fork, after_fork, after_fork);
    return new Mutex;
  }();
  return *instance;
}

}  // namespace inferometer
