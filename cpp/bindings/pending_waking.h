// Who waits for a Pending, and how they are told.
#pragma once

#include "pending_object.h"

namespace inferometer::python {

/// Adds a callback that is called as callback(pending) in `context`.
void add_waiter(PendingObject* pending, PyObject* callback, PyObject* context);

/// Removes all that equal `callback`, and says how many those were.
[[nodiscard]] Py_ssize_t remove_waiter(PendingObject* pending, PyObject* callback);

/// Calls or schedules all callbacks, each once. Throws as complete() does.
void wake_waiters(PendingObject* pending, Waking waking);

}  // namespace inferometer::python
