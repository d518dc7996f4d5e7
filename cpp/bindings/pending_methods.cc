#include "pending_methods.h"

#include <array>

#include "asyncio_calls.h"
#include "cell_arguments.h"
#include "engine_object.h"
#include "errors.h"
#include "fast_method.h"
#include "inferometer/errors.h"
#include "pending_object.h"
#include "pending_waking.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using State = PendingObject::State;

// The answer, a new reference; what else ended it is raised.
PyObject* outcome_of(PendingObject* self) {
  switch (self->state) {
    case State::kAnswered:
      return Py_NewRef(self->outcome);
    case State::kFailed: {
      self->unretrieved = false;
      // Raised again, it would grow the traceback of the last time.
      if (PyException_SetTraceback(self->outcome, Py_None) != 0) throw py::error_already_set();
      raise(py::reinterpret_borrow<py::object>(self->outcome));
    }
    case State::kCancelled:
      raise(asyncio::cancelled_error(self->cancel_message));
    default:
      asyncio::raise_invalid_state("Result is not ready.");
  }
}

// As a future.

PyObject* result(PyObject* object, PyObject* /*unused*/) {
  return translated([&] { return outcome_of(pending_of(object)); });
}

PyObject* exception(PyObject* object, PyObject* /*unused*/) {
  return translated([&] {
    PendingObject* const self = pending_of(object);
    if (self->state == State::kWaiting) asyncio::raise_invalid_state("Exception is not set.");
    if (self->state == State::kCancelled) raise(asyncio::cancelled_error(self->cancel_message));
    self->unretrieved = false;
    return Py_NewRef(self->state == State::kFailed ? self->outcome : Py_None);
  });
}

PyObject* done(PyObject* object, PyObject* /*unused*/) {
  return PyBool_FromLong(pending_of(object)->state != State::kWaiting ? 1 : 0);
}

PyObject* cancelled(PyObject* object, PyObject* /*unused*/) {
  return PyBool_FromLong(pending_of(object)->state == State::kCancelled ? 1 : 0);
}

PyObject* cancel(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                 PyObject* keywords) {
  std::array<PyObject*, 1> values;
  if (!take_arguments<1>("cancel", {"msg"}, arguments, count, keywords, values)) return nullptr;
  return translated([&] {
    PendingObject* const self = pending_of(object);
    if (self->state != State::kWaiting) return Py_NewRef(Py_False);
    self->unretrieved = false;
    if (values[0] != nullptr && values[0] != Py_None) self->cancel_message = Py_NewRef(values[0]);
    self->state = State::kCancelled;
    // Its own end is delivered like any other, to nobody.
    if (self->request && self->engine != nullptr) {
      const auto engine = py::reinterpret_borrow<py::object>(self->engine);
      engine_of(engine.ptr()).cancel(std::shared_ptr<Request>(self->request), true);
    }
    wake_waiters(self, Waking::kSoon);  // a task is running: it must not be interrupted by another
    return Py_NewRef(Py_True);
  });
}

PyObject* add_done_callback(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                            PyObject* keywords) {
  std::array<PyObject*, 2> values;
  if (!take_arguments<2>("add_done_callback", {"fn", "context"}, arguments, count, keywords,
                         values)) {
    return nullptr;
  }
  if (values[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "add_done_callback() got no 'fn'");
    return nullptr;
  }
  return translated([&] {
    PendingObject* const self = pending_of(object);
    py::object copied;
    PyObject* context = values[1];
    if (context == nullptr || context == Py_None) {
      copied = py::reinterpret_steal<py::object>(PyContext_CopyCurrent());
      if (!copied) throw py::error_already_set();
      context = copied.ptr();
    }
    if (self->state == State::kWaiting) {
      add_waiter(self, values[0], context);
    } else {
      asyncio::call_soon(self->loop, values[0], object, context);
    }
    return Py_NewRef(Py_None);
  });
}

PyObject* remove_done_callback(PyObject* object, PyObject* callback) {
  return translated(
      [&] { return PyLong_FromSsize_t(remove_waiter(pending_of(object), callback)); });
}

PyObject* get_loop(PyObject* object, PyObject* /*unused*/) {
  return Py_NewRef(pending_of(object)->loop);
}

// gather() asks for it.
PyObject* make_cancelled_error(PyObject* object, PyObject* /*unused*/) {
  return translated(
      [&] { return asyncio::cancelled_error(pending_of(object)->cancel_message).release().ptr(); });
}

// As a coroutine.

PyObject* send(PyObject* object, PyObject* value) {
  PyObject* result = nullptr;
  if (pending_send(object, value, &result) != PYGEN_RETURN) return result;
  PyErr_SetObject(PyExc_StopIteration, py::make_tuple(py::handle(result)).ptr());
  Py_DECREF(result);
  return nullptr;
}

PyObject* raise_in(PyObject* /*object*/, PyObject* const* arguments, Py_ssize_t count) {
  if (count < 1 || count > 3) {
    PyErr_Format(PyExc_TypeError, "throw() got %zd arguments, want 1 to 3", count);
    return nullptr;
  }
  PyObject* const given = arguments[0];
  PyObject* const value = count > 1 && arguments[1] != Py_None ? arguments[1] : nullptr;
  if (PyExceptionInstance_Check(given)) {
    PyErr_SetObject(PyExceptionInstance_Class(given), given);
  } else if (PyExceptionClass_Check(given)) {
    PyErr_SetObject(given, value);
  } else {
    PyErr_Format(PyExc_TypeError, "throw() got %s, want an exception", Py_TYPE(given)->tp_name);
  }
  return nullptr;
}

// Whoever waited does not wait any more; the request goes on, as a future would.
PyObject* close(PyObject* /*object*/, PyObject* /*unused*/) { Py_RETURN_NONE; }

PyObject* get_blocking(PyObject* object, void* /*closure*/) {
  return PyBool_FromLong(pending_of(object)->blocking ? 1 : 0);
}

int set_blocking(PyObject* object, PyObject* value, void* /*closure*/) {
  const int truth = value == nullptr ? 0 : PyObject_IsTrue(value);
  if (truth < 0) return -1;
  pending_of(object)->blocking = truth == 1;
  return 0;
}

// gather() asks for it.
PyObject* get_cancel_message(PyObject* object, void* /*closure*/) {
  PyObject* const message = pending_of(object)->cancel_message;
  return Py_NewRef(message == nullptr ? Py_None : message);
}

// Until the end of a cancelled one is delivered, its request has the times.
const Timing& timing_of(const PendingObject* self) {
  switch (self->timed) {
    case PendingObject::Timed::kYes:
      return self->timing;
    case PendingObject::Timed::kRefused:
      throw Error("the request was refused: it has no timing");
    default:
      if (self->state != State::kCancelled || !self->request || !self->request->ended()) {
        throw Error("the request has not ended yet: it has no timing");
      }
      return self->request->timing();
  }
}

PyObject* get_timing(PyObject* object, void* /*closure*/) {
  return translated([&] { return py::cast(timing_of(pending_of(object))).release().ptr(); });
}

PyMethodDef method_table[] = {
    {"result", result, METH_NOARGS,
     "result($self, /)\n--\n\n"
     "The answer. Raises what ended it otherwise, InvalidStateError if it has not ended."},
    {"exception", exception, METH_NOARGS,
     "exception($self, /)\n--\n\n"
     "The exception, None for an answer. Raises CancelledError or InvalidStateError."},
    {"done", done, METH_NOARGS, "done($self, /)\n--\n\nWhether it has ended, in whatever way."},
    {"cancelled", cancelled, METH_NOARGS, "cancelled($self, /)\n--\n\nWhether it was cancelled."},
    {"cancel", method(cancel), kFast,
     "cancel($self, /, msg=None)\n--\n\n"
     "Cancels the request, queued or with the model. False if it had ended."},
    {"add_done_callback", method(add_done_callback), kFast,
     ""
     "Calls fn(self) from the loop once it has ended."},
    {"remove_done_callback", remove_done_callback, METH_O,
     "Removes it; says how often it was there."},
    {"get_loop", get_loop, METH_NOARGS, "get_loop($self, /)\n--\n\nThe loop that it belongs to."},
    {"_make_cancelled_error", make_cancelled_error, METH_NOARGS,
     "_make_cancelled_error($self, /)\n--\n\nFor asyncio.gather()."},
    {"send", send, METH_O, "As a coroutine: goes on waiting."},
    {"throw", method(raise_in), METH_FASTCALL, "As a coroutine: raises the exception."},
    {"close", close, METH_NOARGS,
     "close($self, /)\n--\n\nAs a coroutine: nothing. The request goes on."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef property_table[] = {
    {"_asyncio_future_blocking", get_blocking, set_blocking,
     "Task's mark that it was yielded by an await.", nullptr},
    {"_cancel_message", get_cancel_message, nullptr, "What cancel() was told.", nullptr},
    {"timing", get_timing, nullptr,
     "Where the time went. Raises Error before the request has ended, and if it was refused.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyMethodDef* pending_methods() noexcept { return method_table; }
PyGetSetDef* pending_properties() noexcept { return property_table; }

PySendResult pending_send(PyObject* object, PyObject* /*value*/, PyObject** result) {
  PendingObject* const self = pending_of(object);
  if (self->state == State::kWaiting) {
    self->blocking = true;  // until the task that gets it has registered
    *result = Py_NewRef(object);
    return PYGEN_NEXT;
  }
  *result = translated([&] { return outcome_of(self); });
  return *result == nullptr ? PYGEN_ERROR : PYGEN_RETURN;
}

PyObject* pending_next(PyObject* object) { return send(object, Py_None); }

PyObject* pending_repr(PyObject* object) {
  static constexpr std::array<const char*, 4> kStates{"pending", "finished", "failed", "cancelled"};
  return PyUnicode_FromFormat("<inferometer._core.Pending %s>",
                              kStates[static_cast<size_t>(pending_of(object)->state)]);
}

}  // namespace inferometer::python
