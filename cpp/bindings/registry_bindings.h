// Binds the registry and the application's metrics.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds `_core.Registry`, `_core.Counter`, `_core.Gauge` and `_core.Histogram`.
void bind_registry(pybind11::module_& m);

}  // namespace inferometer::python
