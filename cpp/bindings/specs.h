// Specs of tensors on their way between Python and the core.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "inferometer/tensor.h"

namespace inferometer::python {

/// (name, dtype, shape), -1 for free dimensions.
using SpecTuple = std::tuple<std::string, std::string, std::vector<int64_t>>;

/// Throws ConfigError for a dtype that is not supported.
[[nodiscard]] std::vector<TensorSpec> to_specs(const std::vector<SpecTuple>& tuples);
/// A list of SpecTuples, their shapes as tuples.
[[nodiscard]] pybind11::list to_tuples(const std::vector<TensorSpec>& specs);

}  // namespace inferometer::python
