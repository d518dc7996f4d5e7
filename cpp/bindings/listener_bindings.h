// Binds the metrics listener.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds `_core.MetricsListener`.
void bind_listener(pybind11::module_& m);

}  // namespace inferometer::python
