#include "call_arguments.h"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "cell_arguments.h"
#include "engine_object.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

PyObject* trace_variable = nullptr;  // lives as long as the process

// Which levels there are is the engine's business.
int64_t to_priority(PyObject* given) {
  int overflow = 0;
  if (PyLong_Check(given) != 0 && PyBool_Check(given) == 0) {
    const int64_t level = PyLong_AsLongLongAndOverflow(given, &overflow);
    if (overflow == 0) return level;
  }
  throw ConfigError("priority: got " + py::repr(given).cast<std::string>() +
                    ", want an int: a level, or 0 for the default");
}

// What is found wrong with a call's arguments counts as an invalid request.
template <typename Action>
void count_refusal(PyObject* engine, Action&& action) {
  try {
    action();
  } catch (const ConfigError&) {
    engine_of(engine).engine().count_invalid();
    throw;
  }
}

}  // namespace

bool bool_argument(const char* option, const py::handle& given) {
  try {
    return py::cast<bool>(given);
  } catch (const py::cast_error&) {
    throw ConfigError(std::string(option) + ": got " + py::repr(given).cast<std::string>() +
                      ", want True or False");
  }
}

std::optional<double> seconds_or_none(const char* option, PyObject* given) {
  if (given == nullptr || given == Py_None) return std::nullopt;
  double seconds = 0;
  if (!take_number(given, seconds)) {
    PyErr_Clear();
    throw ConfigError(std::string(option) + ": got " + py::repr(given).cast<std::string>() +
                      ", want seconds or None");
  }
  if (std::isnan(seconds)) {
    throw ConfigError(std::string(option) + ": got nan, want seconds or None");
  }
  return seconds;
}

CallArguments::CallArguments(PyObject* engine, const char* method, const char* first,
                             PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  if (count == 1 && keywords == nullptr) {
    inputs = arguments[0];
    count_refusal(engine, [&] { set_trace(nullptr); });
    return;
  }
  std::array<PyObject*, 4> values;
  if (!take_arguments<4>(method, {first, "timeout", "priority", "trace_id"}, arguments, count,
                         keywords, values)) {
    throw py::error_already_set();
  }
  fill(engine, method, first, values);
}

void CallArguments::fill(PyObject* engine, const char* method, const char* first,
                         std::span<PyObject* const, 4> values) {
  if (values[0] == nullptr) {
    PyErr_Format(PyExc_TypeError, "%s() got no '%s'", method, first);
    throw py::error_already_set();
  }
  inputs = values[0];
  count_refusal(engine, [&] {
    if (values[2] != nullptr) options.priority = to_priority(values[2]);
    set_timeout(values[1]);
    set_trace(values[3]);
  });
}

void CallArguments::set_timeout(PyObject* seconds) {
  if (const auto value = seconds_or_none("timeout", seconds)) {
    options.timeout_ns = seconds_to_ns(*value);
  }
}

void CallArguments::set_trace(PyObject* given) {
  PyObject* text = given;
  if (given == nullptr || given == Py_None) {
    if (PyContextVar_Get(trace_variable, nullptr, &text) != 0) throw py::error_already_set();
    trace_ = py::reinterpret_steal<py::object>(text);
    if (text == Py_None) return;
  }
  const auto utf8 = utf8_of(text);
  if (!utf8) {
    throw ConfigError("trace_id: got " + py::repr(text).cast<std::string>() +
                      ", want a str without lone surrogates, or None");
  }
  options.trace_id = *utf8;
}

void bind_trace_id(py::module_& m) {
  trace_variable = PyContextVar_New("inferometer_trace_id", Py_None);
  if (trace_variable == nullptr) throw py::error_already_set();
  m.attr("trace_id") = py::handle(trace_variable);
}

}  // namespace inferometer::python
