// What the raw methods that make requests are called with.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <span>

#include "inferometer/engine.h"

namespace inferometer::python {

/// The arguments of `infer(inputs, timeout=None, priority=0, trace_id=None)` and its kin. Keeps the
/// trace's text alive; the inputs must outlive it. Single-owner.
struct CallArguments {
  /// `first` is what `inputs` is called there. Throws error_already_set for what does not fit the
  /// signature, ConfigError for a timeout, a priority or a trace id that cannot be: `engine` counts
  /// that as an invalid request.
  CallArguments(PyObject* engine, const char* method, const char* first, PyObject* const* arguments,
                Py_ssize_t count, PyObject* keywords);

  PyObject* inputs = nullptr;  // borrowed
  SubmitOptions options;       // the timeout, and the trace: by default that of the present context

 protected:
  CallArguments() = default;
  /// `values`: inputs, timeout, priority, trace_id; null where nothing was given.
  void fill(PyObject* engine, const char* method, const char* first,
            std::span<PyObject* const, 4> values);

 private:
  void set_timeout(PyObject* seconds);
  void set_trace(PyObject* given);

  pybind11::object trace_;
};

/// True or False, or what has a truth as numpy's have; ConfigError for anything else.
[[nodiscard]] bool bool_argument(const char* option, const pybind11::handle& given);

/// A number of seconds, none for None or null. ConfigError for what is no number, or nan.
[[nodiscard]] std::optional<double> seconds_or_none(const char* option, PyObject* given);

/// Adds `trace_id`, the context variable that says for which trace the present code runs.
void bind_trace_id(pybind11::module_& m);

}  // namespace inferometer::python
