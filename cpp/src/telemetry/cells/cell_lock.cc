#include "telemetry/cells/cell_lock.h"

namespace inferometer {

Mutex& cells_mutex() {
  // Never destroyed: metrics are often static, and threads may record while the process ends.
  static Mutex* const instance = new Mutex;
  return *instance;
}

}  // namespace inferometer
