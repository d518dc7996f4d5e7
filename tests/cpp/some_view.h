// Views of nothing in particular, for what looks at types and shapes only.
#pragma once

#include <cstddef>

#include "inferometer/tensor.h"

namespace inferometer {

inline constexpr std::byte kSomewhere[8] = {};

[[nodiscard]] inline TensorView some_view(const Shape& shape, DType dtype = DType::kFloat32) {
  return {dtype, shape, kSomewhere};
}

}  // namespace inferometer
