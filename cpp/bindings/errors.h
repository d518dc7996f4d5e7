// The Python classes of errors.h, and how C++ errors become them.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <string>

namespace inferometer::python {

/// Makes the exception classes, adds them to the module and registers the translation.
void bind_errors(pybind11::module_& m);

/// The class `inferometer.NAME`. Borrowed; lives as long as the module.
[[nodiscard]] pybind11::handle error_class(const char* name);

/// An instance of `inferometer.ModelError` for what a model threw: the engine's name in front, the
/// model's own exception as its cause (none for a breach of contract that the engine noticed).
[[nodiscard]] pybind11::object model_error(const std::string& engine,
                                           const std::exception_ptr& error);

/// Raises an exception instance.
[[noreturn]] void raise(const pybind11::object& instance);

/// Sets the Python error for a C++ exception, as bound functions raise it.
void set_python_error(const std::exception_ptr& error);

/// Runs `action`, which returns a new reference, in a raw C method; an exception becomes a Python
/// one, and null.
template <typename Action>
PyObject* translated(Action&& action) {
  try {
    return action();
  } catch (const std::exception&) {
    set_python_error(std::current_exception());
  }
  return nullptr;
}

}  // namespace inferometer::python
