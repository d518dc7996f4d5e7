#include "inferometer/errors.h"
#include "model/lowering.h"

namespace inferometer {
namespace {

/// The dimensions that Reshape's target names, for data of `dims`; -1 is left as it is.
std::vector<int64_t> copy_zeros(std::vector<int64_t> target, const std::vector<int64_t>& dims,
                                bool allow_zero) {
  int free = 0;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0) {
      if (allow_zero) throw ConfigError("a dimension of 0 in the target: nothing to compute");
      if (i >= dims.size()) throw ConfigError("a 0 in the target has no dimension to copy");
      target[i] = dims[i];
    } else if (target[i] == -1) {
      ++free;
    } else if (target[i] < -1) {
      throw ConfigError("got " + std::to_string(target[i]) + " in the target");
    }
  }
  if (free > 1) throw ConfigError("more than one -1 in the target");
  return target;
}

/// Fills in a -1 so that the product is `elements`. Throws ConfigError if none does.
Shape complete(std::vector<int64_t> dims, int64_t elements) {
  int64_t known = 1;
  int64_t* free = nullptr;
  for (int64_t& dim : dims) {
    if (dim == -1) {
      free = &dim;
    } else if (__builtin_mul_overflow(known, dim, &known)) {
      throw ConfigError("the target has too many elements");
    }
  }
  if (free != nullptr && known > 0 && elements % known == 0) *free = elements / known;
  const Shape shape(dims);
  if (free != nullptr ? *free == -1 : known != elements) {
    throw ConfigError("got " + std::to_string(elements) + " elements per row for a target of " +
                      shape.to_string());
  }
  return shape;
}

}  // namespace

Tensor with_shape(const Tensor& tensor, const Shape& shape) {
  TensorView view = tensor.view();
  view.shape = shape;
  return Tensor::copy_of(view);
}

void lower_flatten(NodeLowering& node) {
  const ValueId x = node.input(0);
  if (node.is_constant(0)) throw UnsupportedOperatorError("the input is a constant");
  const Shape& shape = node.graph().value(x).shape;
  const auto rank = static_cast<int64_t>(shape.rank()) + 1;
  const int64_t axis =
      NodeLowering::normalise_axis(node.attributes.integer("axis", 1), rank, rank + 1);
  int64_t moved = 1;  // what would be merged into the rows
  for (int64_t i = 1; i < axis; ++i) moved *= shape[static_cast<size_t>(i - 1)];
  if ((axis == 0 && !node.single_row()) || moved != 1) {
    throw UnsupportedOperatorError("axis " + std::to_string(axis) +
                                   " moves the rows, which mixes the rows of a batch");
  }
  node.emit_view(x, Shape({shape.elements()}));
}

void lower_reshape(NodeLowering& node) {
  const ValueId x = node.input(0);
  const bool allow_zero = node.attributes.integer("allowzero", 0) != 0;
  std::vector<int64_t> target;
  if (const auto attribute = node.attributes.integers("shape"); attribute.has_value()) {
    target = *attribute;  // opset 1
  } else {
    target = node.integer_constant(1, "the shape");
  }
  const Value& value = node.graph().value(x);
  if (node.is_constant(0)) {
    const auto dims = value.shape.dims();
    target = copy_zeros(target, {dims.begin(), dims.end()}, allow_zero);
    return node.emit_constant(
        with_shape(*value.constant, complete(target, value.shape.elements())));
  }
  // 0 stands in for the number of rows, whatever it is.
  const Shape with_rows = value.shape.prepend(0);
  target = copy_zeros(target, {with_rows.dims().begin(), with_rows.dims().end()}, allow_zero);
  const std::string refusal =
      " moves the rows or fixes their number, which mixes the rows of a batch";
  if (target.empty()) throw UnsupportedOperatorError("the target ()" + refusal);
  const bool rows = target[0] == 0 || (target[0] == 1 && node.single_row());
  const std::vector<int64_t> rest(target.begin() + 1, target.end());
  if (!rows) {
    int64_t known = 1;
    for (const int64_t dim : rest) {
      if (__builtin_mul_overflow(known, dim, &known)) throw ConfigError("the target is too large");
    }
    // A free first dimension is the rows only if the rest is exactly one row.
    if (target[0] != -1 || known != value.shape.elements()) {
      throw UnsupportedOperatorError("the target " + Shape(target).to_string() + refusal);
    }
  }
  node.emit_view(x, complete(rest, value.shape.elements()));
}

void lower_identity(NodeLowering& node) {
  const ValueId x = node.input(0);
  const Value& value = node.graph().value(x);
  if (node.is_constant(0)) return node.emit_constant(value.constant->clone());
  node.emit_view(x, value.shape);
}

}  // namespace inferometer
