// Binds the monitors of machine and process.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds `_core.attach_monitors`. The registry's classes must have been bound.
void bind_monitors(pybind11::module_& m);

}  // namespace inferometer::python
