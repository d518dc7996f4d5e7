#include <array>

#include "inferometer/errors.h"
#include "model/lowering.h"

namespace inferometer {
namespace {

/// The reduced axes, rows included, from the attribute (before opset 18) or the second input.
std::vector<int64_t> read_axes(NodeLowering& node) {
  const auto attribute = node.attributes.integers("axes");
  if (node.optional_input(1) == kNoValue) return attribute.value_or(std::vector<int64_t>());
  if (attribute.has_value()) throw ConfigError("axes are given twice");
  return node.integer_constant(1, "the input axes");
}

}  // namespace

void lower_softmax(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape shape = node.graph().value(x).shape;
  const auto rank = static_cast<int64_t>(shape.rank()) + 1;
  // Before opset 13 the axis starts a block of axes that are normalised together.
  const bool block = node.attributes.integer("coerce_to_2d", 0) != 0;
  int64_t axis = node.attributes.integer("axis", block ? 1 : -1);
  axis = NodeLowering::normalise_axis(axis, rank, rank);
  if (axis == 0 && block && node.single_row()) axis = 1;
  if (axis == 0) throw UnsupportedOperatorError("axis 0 mixes the rows of a batch");
  const auto first = static_cast<size_t>(axis - 1);
  Softmax op{.outer = 1, .length = 1, .inner = 1};
  for (size_t i = 0; i < shape.rank(); ++i) {
    (i < first ? op.outer : (block || i == first ? op.length : op.inner)) *= shape[i];
  }
  node.emit(op, {x}, shape);
}

void lower_reduce_mean(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape shape = node.graph().value(x).shape;
  const auto rank = static_cast<int64_t>(shape.rank()) + 1;
  const bool keepdims = node.attributes.integer("keepdims", 1) != 0;
  const bool noop = node.attributes.integer("noop_with_empty_axes", 0) != 0;
  const std::vector<int64_t> axes = read_axes(node);
  if (axes.empty() && noop) return node.emit_view(x, shape);
  std::array<bool, Shape::kMaxRank> reduced{};
  for (const int64_t given : axes) {
    const int64_t axis = NodeLowering::normalise_axis(given, rank, rank);
    if (axis == 0) throw UnsupportedOperatorError("axis 0 mixes the rows of a batch");
    if (reduced[static_cast<size_t>(axis - 1)]) {
      throw ConfigError("axis " + std::to_string(given) + " is listed twice");
    }
    reduced[static_cast<size_t>(axis - 1)] = true;
  }
  if (axes.empty())
    throw UnsupportedOperatorError("no axes: all axes, which mixes the rows of a batch");

  ReduceMean op{.kept_rank = 0, .reduced_rank = 0, .x_row_stride = shape.elements()};
  std::vector<int64_t> result;
  for (size_t i = 0; i < shape.rank(); ++i) {
    int& count = reduced[i] ? op.reduced_rank : op.kept_rank;
    int64_t* dims = reduced[i] ? op.reduced_dims : op.kept_dims;
    int64_t* strides = reduced[i] ? op.reduced_strides : op.kept_strides;
    if (count > 0 && i > 0 && reduced[i - 1] == reduced[i]) {
      // A neighbour of the same kind continues its walk.
      dims[count - 1] *= shape[i];
      strides[count - 1] = shape.tail(i + 1).elements();
    } else {
      dims[count] = shape[i];
      strides[count++] = shape.tail(i + 1).elements();
    }
    if (!reduced[i] || keepdims) result.push_back(reduced[i] ? 1 : shape[i]);
  }
  const Shape result_shape(result);
  op.y_row_stride = result_shape.elements();
  node.emit(op, {x}, result_shape);
}

}  // namespace inferometer
