#include <algorithm>

#include "inferometer/errors.h"
#include "model/broadcast.h"
#include "model/lowering.h"

namespace inferometer {
namespace {

/// Rows included; a constant's own rank.
size_t rank_of(const Graph& graph, ValueId id) {
  return graph.value(id).shape.rank() + (graph.is_constant(id) ? 0 : 1);
}

}  // namespace

void emit_addition(NodeLowering& node, ValueId a, ValueId b) {
  Graph& graph = node.graph();
  const size_t rank = std::max(rank_of(graph, a), rank_of(graph, b));
  const Shape a_shape = row_shape_of_operand(graph, a, rank);
  const Shape b_shape = row_shape_of_operand(graph, b, rank);
  const Broadcast full = broadcast(a_shape, b_shape);
  const Broadcast loops = merged(full);
  const Shape shape(full.dims);
  BroadcastAdd op{.rank = static_cast<int>(loops.dims.size()),
                  .a_row_stride = a_shape.elements(),
                  .b_row_stride = graph.is_constant(b) ? 0 : b_shape.elements(),
                  .y_row_stride = shape.elements(),
                  .activation = Activation::kNone};
  std::ranges::copy(loops.dims, op.dims);
  std::ranges::copy(loops.a_strides, op.a_strides);
  std::ranges::copy(loops.b_strides, op.b_strides);
  node.emit(op, {a, b}, shape);
}

void lower_add(NodeLowering& node) {
  ValueId a = node.float_value(0);
  ValueId b = node.float_value(1);
  if (node.graph().is_constant(a)) std::swap(a, b);
  if (node.graph().is_constant(a)) throw UnsupportedOperatorError("both inputs are constants");
  emit_addition(node, a, b);
}

void lower_relu(NodeLowering& node) {
  const ValueId x = node.activation(0);
  node.attributes.ignore("consumed_inputs");  // opset 1: a memory hint
  const Shape shape = node.graph().value(x).shape;
  node.emit(Relu{shape.elements()}, {x}, shape);
}

}  // namespace inferometer
