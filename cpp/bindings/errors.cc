#include "errors.h"

#include <array>
#include <new>

#include "failure_log.h"
#include "gil.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Built once at import and kept for the life of the process, as static types are.
py::dict& classes() {
  static auto* const all = new py::dict();
  return *all;
}

void add(py::module_& m, const char* name, const char* doc, const py::tuple& bases) {
  const std::string qualified = std::string("inferometer.") + name;
  PyObject* const made = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, bases.ptr(), nullptr);
  if (made == nullptr) throw py::error_already_set();
  const auto type = py::reinterpret_steal<py::object>(made);
  classes()[name] = type;
  m.attr(name) = type;
}

// Any str as UTF-8: what has none (lone surrogates) is shown escaped.
std::string readable(const py::str& text) {
  const auto bytes = py::reinterpret_steal<py::bytes>(
      PyUnicode_AsEncodedString(text.ptr(), "utf-8", "backslashreplace"));
  if (!bytes) throw py::error_already_set();
  return bytes;
}

void set_error(const char* name, const std::exception& error) {
  PyErr_SetString(error_class(name).ptr(), error.what());
}

py::object device_error(const std::string& message, DeviceFault fault) {
  static constexpr std::array kNames = {"unavailable", "out_of_memory", "lost", "other"};
  py::object instance = error_class("DeviceError")(message);
  instance.attr("fault") = kNames.at(static_cast<size_t>(fault));
  return instance;
}

// An instance of ModelError for what a model threw; of DeviceError if that was the device's doing.
py::object failure(const std::string& prefix, const std::exception_ptr& pointer) {
  try {
    std::rethrow_exception(pointer);
  } catch (py::error_already_set& error) {
    const py::object& cause = error.value();
    if (error.trace()) PyException_SetTraceback(cause.ptr(), error.trace().ptr());
    std::string text = Py_TYPE(cause.ptr())->tp_name;
    try {
      const std::string message = readable(py::str(cause));
      if (!message.empty()) text.append(": ").append(message);
    } catch (py::error_already_set&) {  // an exception whose __str__ raises
      text += " (its text cannot be read)";
    }
    py::object instance = error_class("ModelError")(prefix + text);
    PyException_SetCause(instance.ptr(), py::object(cause).release().ptr());
    return instance;
  } catch (const InjectedFaultError& error) {
    py::object instance = error_class("InjectedFaultError")(prefix + error.what());
    // A cause as a model that raises has one: what reads it is drilled too.
    const py::object cause = py::reinterpret_borrow<py::object>(PyExc_RuntimeError)(error.what());
    PyException_SetCause(instance.ptr(), py::object(cause).release().ptr());
    return instance;
  } catch (const DeviceError& error) {
    return device_error(prefix + error.what(), error.fault());
  } catch (const Error& error) {
    return error_class("ModelError")(prefix + error.what());
  } catch (const std::bad_alloc&) {
    py::object instance = error_class("ModelError")(prefix + "out of memory");
    const py::object cause = py::reinterpret_borrow<py::object>(PyExc_MemoryError)();
    PyException_SetCause(instance.ptr(), py::object(cause).release().ptr());
    return instance;
  } catch (const std::exception& error) {
    return error_class("ModelError")(prefix + error.what());
  }
}

// Raises the KeyboardInterrupt that `cause` is; false if it is none. The model's was set to come
// again (callable_model.cc); it may still be pending, or went as the text of the error was made.
bool raised_as_interrupt(const std::exception_ptr& cause) {
  try {
    std::rethrow_exception(cause);
  } catch (py::error_already_set& error) {
    if (!handles_signals() || !error.matches(PyExc_KeyboardInterrupt)) return false;
    if (PyErr_CheckSignals() == 0) error.restore();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Ctrl-C in a warm-up ends the call that began it.
void raise_warm_up_error(const WarmUpError& error) {
  if (raised_as_interrupt(error.cause())) return;
  const py::object instance = failure(error.where(), error.cause());
  PyErr_SetObject(py::type::handle_of(instance).ptr(), instance.ptr());
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the signature that pybind11 wants
void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const QueueFullError& error) {
    const py::object instance = error_class("QueueFullError")(error.what());
    instance.attr("retry_after") = error.retry_after_seconds();
    log_refusal(instance);
    PyErr_SetObject(error_class("QueueFullError").ptr(), instance.ptr());
  } catch (const DeadlineExceededError& error) {
    set_error("DeadlineExceededError", error);
  } catch (const ClosedError& error) {
    set_error("ClosedError", error);
  } catch (const ShapeError& error) {
    set_error("ShapeError", error);
  } catch (const DTypeError& error) {
    set_error("DTypeError", error);
  } catch (const WarmUpError& error) {
    raise_warm_up_error(error);
  } catch (const InjectedFaultError& error) {
    set_error("InjectedFaultError", error);
  } catch (const ModelError& error) {
    set_error("ModelError", error);
  } catch (const UnsupportedOperatorError& error) {
    set_error("UnsupportedOperatorError", error);
  } catch (const DeviceError& error) {
    const py::object instance = device_error(error.what(), error.fault());
    PyErr_SetObject(error_class("DeviceError").ptr(), instance.ptr());
  } catch (const InputError& error) {
    set_error("InputError", error);
  } catch (const ConfigError& error) {
    set_error("ConfigError", error);
  } catch (const CancelledError& error) {
    const auto type = py::module_::import("concurrent.futures").attr("CancelledError");
    PyErr_SetString(type.ptr(), error.what());
  } catch (const Error& error) {
    set_error("Error", error);
  }
}

}  // namespace

void bind_errors(py::module_& m) {
  const auto builtin = [](PyObject* type) { return py::reinterpret_borrow<py::object>(type); };
  add(m, "Error", "Base of all errors of inferometer.", py::make_tuple(builtin(PyExc_Exception)));
  const py::object base = m.attr("Error");
  const auto derived = [&](PyObject* also) { return py::make_tuple(base, builtin(also)); };
  const py::tuple plain = py::make_tuple(base);
  add(m, "QueueFullError",
      "The queue is full: the request was refused at the door. `retry_after` (seconds) estimates "
      "when the present queue will have been served.",
      plain);
  m.attr("QueueFullError").attr("retry_after") = 0.0;
  add(m, "DeadlineExceededError", "The request's deadline passed before it was answered.",
      derived(PyExc_TimeoutError));
  add(m, "ClosedError",
      "The engine is closed or draining, or belongs to the parent of this forked process.", plain);
  add(m, "ShapeError", "Wrong rank, dimensions or number of rows.", derived(PyExc_ValueError));
  add(m, "DTypeError", "Wrong element type; nothing is ever cast.", derived(PyExc_TypeError));
  add(m, "ModelError",
      "The model failed or broke its contract; the cause is the model's own exception.",
      derived(PyExc_RuntimeError));
  add(m, "InjectedFaultError",
      "Not the model's fault: one that the application injected with inferometer.Faults.",
      py::make_tuple(py::object(m.attr("ModelError"))));
  add(m, "UnsupportedOperatorError",
      "The model uses operators that are not implemented; all of them are named.", plain);
  add(m, "DeviceError",
      "No such device, or the device failed. `fault`: 'unavailable', 'out_of_memory' (it goes on), "
      "'lost' (it answers nothing any more, until the model is swapped) or 'other'.",
      plain);
  m.attr("DeviceError").attr("fault") = "unavailable";
  add(m, "InputError", "An input name that is unknown or missing.", derived(PyExc_ValueError));
  add(m, "ConfigError",
      "Wrong options, metric or label names, a second engine of one name, a broken model file.",
      derived(PyExc_ValueError));
  py::register_local_exception_translator(translate);
}

py::handle error_class(const char* name) { return classes()[name].ptr(); }

py::object model_error(const std::string& engine, const std::exception_ptr& pointer) {
  return failure("model of engine '" + engine + "': ", pointer);
}

void set_python_error(const std::exception_ptr& error) {
  try {
    translate(error);
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const py::builtin_exception& builtin) {
    builtin.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& other) {
    PyErr_SetString(PyExc_RuntimeError, other.what());
  }
}

void raise(const py::object& instance) {
  PyErr_SetObject(py::type::handle_of(instance).ptr(), instance.ptr());
  throw py::error_already_set();
}

}  // namespace inferometer::python
