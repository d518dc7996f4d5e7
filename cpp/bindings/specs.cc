#include "specs.h"

#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {

std::vector<TensorSpec> to_specs(const std::vector<SpecTuple>& tuples) {
  std::vector<TensorSpec> specs;
  for (const auto& [name, dtype_text, dims] : tuples) {
    const auto dtype = parse_dtype(dtype_text);
    if (!dtype) {
      throw ConfigError(std::string("input '").append(name).append("': got dtype '") + dtype_text +
                        "', want bool, an integer or float16, float32, float64");
    }
    specs.push_back({name, *dtype, Shape(std::span<const int64_t>(dims))});
  }
  return specs;
}

py::list to_tuples(const std::vector<TensorSpec>& specs) {
  py::list tuples;
  for (const TensorSpec& spec : specs) {
    py::tuple dims(spec.shape.rank());
    for (size_t i = 0; i < spec.shape.rank(); ++i) dims[i] = spec.shape[i];
    tuples.append(py::make_tuple(spec.name, std::string(dtype_name(spec.dtype)), dims));
  }
  return tuples;
}

}  // namespace inferometer::python
