// Binds the registry's history.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds start_history(), history() and what belongs to them to `_core.Registry`, and has what still
/// runs at interpreter exit stopped.
void bind_history(pybind11::module_& m);

}  // namespace inferometer::python
