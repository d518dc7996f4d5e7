// Binds the catalogue, for what is generated from it and checked against it.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

void bind_catalogue(pybind11::module_& m);

}  // namespace inferometer::python
