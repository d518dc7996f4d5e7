// Rows of different lengths in one batch.
#pragma once

#include <cstddef>

#include "inferometer/tensor.h"

namespace inferometer {

/// Copies `from` to `to`, whose shapes are equal but for `axis`. Where `to` is longer
/// the rest is filled with `value`, where it is shorter the rest is left out. Both types are the
/// same; `value` is converted to it (rounded to nearest and clamped for integers, NaN becomes 0).
void copy_along(size_t axis, const TensorView& from, const MutableTensorView& to, double value);

}  // namespace inferometer
