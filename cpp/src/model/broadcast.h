// numpy's broadcasting of two operands, rows of a batch kept apart.
#pragma once

#include <cstdint>
#include <vector>

#include "model/lowering.h"

namespace inferometer {

/// Dimensions of a result per row, with the element strides (0 where repeated) of both operands. A
/// value type.
struct Broadcast {
  std::vector<int64_t> dims, a_strides, b_strides;
};

/// An operand's shape without the row dimension; a constant's leading 1 in the place of the rows is
/// dropped. Throws UnsupportedOperatorError if broadcasting `value` to a result of `rank`
/// dimensions (rows included) would touch the rows, which are dimension 0 of the result.
[[nodiscard]] Shape row_shape_of_operand(const Graph& graph, ValueId value, size_t rank);

/// Broadcasts two row shapes. Throws ConfigError if they do not fit.
[[nodiscard]] Broadcast broadcast(const Shape& a, const Shape& b);

/// Merges neighbouring dimensions that both operands walk through without a jump, and drops 1s.
[[nodiscard]] Broadcast merged(const Broadcast& broadcast);

}  // namespace inferometer
