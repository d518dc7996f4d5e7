#include "pending_waking.h"

#include <optional>
#include <string>
#include <utility>

#include "asyncio_calls.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

PyObject* as_object(PendingObject* pending) { return reinterpret_cast<PyObject*>(pending); }

py::object take(PyObject*& reference) {
  return py::reinterpret_steal<py::object>(std::exchange(reference, nullptr));
}

// Not what asyncio's Handle does: no Handle is made, queued and run, and a task goes on at once.
// `last_word` is set to what must end the loop.
void call_directly(PendingObject* pending, const py::object& callback, const py::object& context,
                   std::optional<py::error_already_set>& last_word) {
  if (PyContext_Enter(context.ptr()) != 0) {  // it is running: somebody shares it
    PyErr_Clear();
    asyncio::call_soon(pending->loop, callback.ptr(), as_object(pending), context.ptr());
    return;
  }
  PyObject* const result = PyObject_CallOneArg(callback.ptr(), as_object(pending));
  if (result != nullptr) {
    Py_DECREF(result);
    if (PyContext_Exit(context.ptr()) != 0) throw py::error_already_set();
    return;
  }
  const py::error_already_set raised;
  if (PyContext_Exit(context.ptr()) != 0) throw py::error_already_set();
  if (raised.matches(PyExc_KeyboardInterrupt) || raised.matches(PyExc_SystemExit)) {
    last_word = raised;
    return;
  }
  asyncio::call_exception_handler(pending->loop,
                                  "Exception in callback " + py::repr(callback).cast<std::string>(),
                                  raised.value(), as_object(pending));
}

}  // namespace

void add_waiter(PendingObject* pending, PyObject* callback, PyObject* context) {
  if (pending->callback == nullptr && pending->others == nullptr) {
    pending->callback = Py_NewRef(callback);
    pending->context = Py_NewRef(context);
    return;
  }
  if (pending->others == nullptr) pending->others = py::list().release().ptr();
  const py::tuple pair = py::make_tuple(py::handle(callback), py::handle(context));
  if (PyList_Append(pending->others, pair.ptr()) != 0) throw py::error_already_set();
}

Py_ssize_t remove_waiter(PendingObject* pending, PyObject* callback) {
  // A comparison may run any code: what is compared is held, and looked up again.
  const auto equal = [&](const py::object& other) { return other.equal(py::handle(callback)); };
  Py_ssize_t removed = 0;
  if (pending->callback != nullptr) {
    const auto first = py::reinterpret_borrow<py::object>(pending->callback);
    if (equal(first) && pending->callback == first.ptr()) {
      Py_CLEAR(pending->callback);
      Py_CLEAR(pending->context);
      ++removed;
    }
  }
  if (pending->others == nullptr) return removed;
  const auto others = py::reinterpret_borrow<py::list>(pending->others);
  for (size_t i = others.size(); i-- > 0;) {
    if (i >= others.size()) continue;
    const auto pair = py::reinterpret_borrow<py::tuple>(others[i]);
    if (!equal(pair[0]) || i >= others.size() ||
        PyList_GET_ITEM(others.ptr(), static_cast<Py_ssize_t>(i)) != pair.ptr()) {
      continue;
    }
    if (PySequence_DelItem(others.ptr(), static_cast<Py_ssize_t>(i)) != 0) {
      throw py::error_already_set();
    }
    ++removed;
  }
  return removed;
}

void wake_waiters(PendingObject* pending, Waking waking) {
  std::optional<py::error_already_set> last_word;
  const auto wake = [&](const py::object& callback, const py::object& context) {
    try {
      if (waking == Waking::kDirect && !last_word) {
        call_directly(pending, callback, context, last_word);
      } else {
        asyncio::call_soon(pending->loop, callback.ptr(), as_object(pending), context.ptr());
      }
    } catch (py::error_already_set& error) {  // the other waiters must not suffer
      error.discard_as_unraisable("waking who awaits an inferometer request");
    }
  };
  // Taken before they are called: a callback may add others, which are called soon.
  const py::object callback = take(pending->callback);
  const py::object context = take(pending->context);
  const py::object others = take(pending->others);
  if (callback) wake(callback, context);
  if (others) {
    for (const py::handle pair : others) {
      wake(pair[py::int_(0)], pair[py::int_(1)]);
    }
  }
  if (last_word) throw py::error_already_set(*last_word);
}

}  // namespace inferometer::python
