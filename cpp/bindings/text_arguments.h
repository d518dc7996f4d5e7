// Python strings as the core takes text.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include <optional>
#include <string_view>

#include "inferometer/registry.h"

namespace inferometer::python {

/// The UTF-8 of a Python object, valid while it lives; none if it is no string, or has none (lone
/// surrogates).
[[nodiscard]] std::optional<std::string_view> utf8_of(PyObject* text) noexcept;

/// The UTF-8 of a Python string, valid while the string lives. Throws ConfigError naming `what` for
/// one that has none (lone surrogates).
[[nodiscard]] std::string_view utf8(const pybind11::str& text, const char* what);

/// Labels given as a dict, none as None; str() is applied to names and values.
using LabelsArgument = std::optional<pybind11::typing::Dict<pybind11::str, pybind11::str>>;
[[nodiscard]] Registry::LabelSet label_set_of(const LabelsArgument& labels);

}  // namespace inferometer::python
