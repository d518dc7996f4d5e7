#include "asyncio_calls.h"

#include <array>
#include <string>

#include "errors.h"

namespace py = pybind11;

namespace inferometer::python::asyncio {
namespace {

// Set once by look_up(), under the GIL; they live as long as the process.
struct Names {
  PyObject* get_running_loop = nullptr;
  PyObject* cancelled_error = nullptr;
  PyObject* invalid_state_error = nullptr;
  PyObject* call_soon = nullptr;
  PyObject* get_debug = nullptr;
  PyObject* thread_id = nullptr;
  PyObject* context_keyword = nullptr;  // ("context",)
};
Names names;

py::object checked(PyObject* result) {
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

}  // namespace

void look_up() {
  const auto kept = [](const py::object& object) { return py::object(object).release().ptr(); };
  const auto interned = [](const char* text) { return PyUnicode_InternFromString(text); };
  const auto asyncio = py::module_::import("asyncio");
  names.get_running_loop = kept(asyncio.attr("_get_running_loop"));
  names.cancelled_error = kept(asyncio.attr("CancelledError"));
  names.invalid_state_error = kept(asyncio.attr("InvalidStateError"));
  names.call_soon = interned("call_soon");
  names.get_debug = interned("get_debug");
  names.thread_id = interned("_thread_id");
  names.context_keyword = kept(py::make_tuple("context"));
}

py::object running_loop() {
  py::object loop = checked(PyObject_CallNoArgs(names.get_running_loop));
  return loop.is_none() ? py::object() : loop;
}

bool tells_its_thread(PyObject* loop) noexcept {
  return PyObject_HasAttr(loop, names.thread_id) != 0;
}

bool runs_here(PyObject* loop) noexcept {
  PyObject* const thread = PyObject_GetAttr(loop, names.thread_id);  // None while it does not run
  const bool here = thread != nullptr && PyLong_CheckExact(thread) != 0 &&
                    PyLong_AsUnsignedLongMask(thread) == PyThread_get_thread_ident();
  Py_XDECREF(thread);
  if (thread == nullptr) PyErr_Clear();
  return here;
}

void call_soon(PyObject* loop, PyObject* function, PyObject* argument, PyObject* context) {
  py::object fresh;
  if (context == nullptr) fresh = checked(PyContext_New());
  std::array<PyObject*, 4> arguments{loop, function};
  size_t count = 2;
  if (argument != nullptr) arguments[count++] = argument;
  arguments[count] = context == nullptr ? fresh.ptr() : context;
  checked(
      PyObject_VectorcallMethod(names.call_soon, arguments.data(), count, names.context_keyword));
}

void add_reader(PyObject* loop, int fd, const py::object& function) {
  py::handle(loop).attr("add_reader")(fd, function);
}

bool in_debug_mode(PyObject* loop) noexcept {
  PyObject* const debug = PyObject_CallMethodNoArgs(loop, names.get_debug);
  if (debug == nullptr) PyErr_Clear();
  const bool on = debug != nullptr && PyObject_IsTrue(debug) == 1;
  Py_XDECREF(debug);
  return on;
}

void call_exception_handler(PyObject* loop, const std::string& message, const py::object& exception,
                            PyObject* future) {
  py::dict context;
  context["message"] = message;
  context["exception"] = exception;
  context["future"] = py::handle(future);
  py::handle(loop).attr("call_exception_handler")(context);
}

py::object cancelled_error(PyObject* message) {
  return checked(message == nullptr ? PyObject_CallNoArgs(names.cancelled_error)
                                    : PyObject_CallOneArg(names.cancelled_error, message));
}

void raise_invalid_state(const char* message) {
  PyErr_SetString(names.invalid_state_error, message);
  throw py::error_already_set();
}

}  // namespace inferometer::python::asyncio
