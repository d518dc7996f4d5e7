// What the outputs of a batch must look like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "inferometer/tensor.h"

namespace inferometer {

/// One output as the model gave it.
struct OutputShape {
  DType dtype = DType::kFloat32;
  Shape shape;
};

/// Throws ModelError unless output `index` is the next one and has rows.
void check_next_output(size_t index, size_t filled, const Shape& shape, int64_t rows);
/// Throws ModelError if the model broke its contract: outputs missing, another number of rows than
/// `rows`, or other dtypes than `specs` says (empty: anything goes).
void check_all_outputs(std::span<const OutputShape> outputs, int64_t rows,
                       std::span<const TensorSpec> specs);
/// The specs that a first answer implies: named "0", "1", ..., any number of rows.
[[nodiscard]] std::vector<TensorSpec> specs_implied_by(std::span<const OutputShape> outputs);

}  // namespace inferometer
