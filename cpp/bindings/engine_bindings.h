// Binds Engine and Request.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

void bind_engine(pybind11::module_& m);
void bind_request(pybind11::module_& m);

}  // namespace inferometer::python
