// Objects that were made by `Class.__new__(Class)` alone.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <typeinfo>

namespace inferometer::python {

/// Has every use of an object of these bound classes that was never initialised raise TypeError.
/// pybind11 would give it memory at its first use, and read that uninitialised.
template <typename... Classes>
void refuse_uninitialised() {
  const auto refuse = [](size_t) -> void* {
    throw pybind11::type_error(
        "got an object that was never initialised: make it by calling its class");
  };
  ((pybind11::detail::get_type_info(typeid(Classes))->operator_new = refuse), ...);
}

}  // namespace inferometer::python
