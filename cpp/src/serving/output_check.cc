#include "serving/output_check.h"

#include <string>
#include <vector>

#include "inferometer/errors.h"

namespace inferometer {

void check_next_output(size_t index, size_t filled, const Shape& shape, int64_t rows) {
  if (index != filled) {
    throw ModelError("the model filled output " + std::to_string(index) + ", want output " +
                     std::to_string(filled) + " next");
  }
  if (shape.rank() == 0) {
    throw ModelError("output " + std::to_string(index) + " is a scalar, want rows first: (" +
                     std::to_string(rows) + ", ...)");
  }
}

void check_all_outputs(std::span<const OutputShape> outputs, int64_t rows,
                       std::span<const TensorSpec> specs) {
  if (outputs.empty()) throw ModelError("the model returned no output, want one or more");
  if (!specs.empty() && specs.size() != outputs.size()) {
    throw ModelError("the model returned " + std::to_string(outputs.size()) + " outputs, want " +
                     std::to_string(specs.size()));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputShape& got = outputs[i];
    const auto name = [&] { return specs.empty() ? std::to_string(i) : specs[i].name; };
    if (got.shape[0] != rows) {
      throw ModelError("the model returned " + std::to_string(got.shape[0]) + " rows for output " +
                       name() + ", want " + std::to_string(rows) + ", one for each input row");
    }
    if (!specs.empty() && got.dtype != specs[i].dtype) {
      throw ModelError("the model returned " + std::string(dtype_name(got.dtype)) + " for output " +
                       name() + ", want " + std::string(dtype_name(specs[i].dtype)));
    }
  }
}

std::vector<TensorSpec> specs_implied_by(std::span<const OutputShape> outputs) {
  std::vector<TensorSpec> specs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Shape shape = outputs[i].shape;
    shape.set(0, Shape::kFree);
    specs.push_back({std::to_string(i), outputs[i].dtype, shape});
  }
  return specs;
}

}  // namespace inferometer
