// The one lock of the cells.
#pragma once

#include "base/mutex.h"

namespace inferometer {

/// Guards what is no word in the cells and families of this folder: who belongs to a family,
/// exemplars and the labels of info metrics. One for the process, because it is held for copies
/// only, never while text is written; recording a number never takes it. fork() waits
/// for it (see record/fork_guard.h). No other lock is taken while it is held. Thread-safe.
[[nodiscard]] Mutex& cells_mutex();

}  // namespace inferometer
