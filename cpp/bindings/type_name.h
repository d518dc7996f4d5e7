// The name of a Python object's type, for messages.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace inferometer::python {

[[nodiscard]] inline std::string type_name(const pybind11::handle& object) {
  return pybind11::type::handle_of(object).attr("__name__").cast<std::string>();
}

}  // namespace inferometer::python
