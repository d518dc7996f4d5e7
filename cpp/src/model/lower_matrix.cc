#include <algorithm>

#include "inferometer/errors.h"
#include "model/broadcast.h"
#include "model/lowering.h"

namespace inferometer {
namespace {

Tensor scaled(const Tensor& tensor, double factor) {
  Tensor result = tensor.clone();
  for (float& value : result.as<float>()) {
    value = static_cast<float>(static_cast<double>(value) * factor);
  }
  return result;
}

/// C of Gemm as a bias of `n` elements times beta.
Tensor gemm_bias(const Tensor& c, int64_t n, double beta) {
  const Shape& shape = c.shape();
  const int64_t last = shape.rank() == 0 ? 1 : shape[shape.rank() - 1];
  if (shape.rank() > 2 || (last != 1 && last != n)) {
    throw ConfigError("C has shape " + shape.to_string() + ", want one that fits (rows, " +
                      std::to_string(n) + ")");
  }
  if (shape.rank() == 2 && shape[0] != 1) {
    throw UnsupportedOperatorError("C has shape " + shape.to_string() +
                                   ", which fixes the number of rows");
  }
  Tensor bias(DType::kFloat32, Shape({n}));
  const auto from = c.as<float>();
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    bias.as<float>()[i] = static_cast<float>(static_cast<double>(from[last == 1 ? 0 : i]) * beta);
  }
  return bias;
}

/// x (rows..., k) times a constant (k, n): one product for all rows.
void emit_gemm(NodeLowering& node, ValueId x, ValueId w, const Shape& x_shape) {
  const Shape& w_shape = node.graph().value(w).shape;
  Shape shape = x_shape;
  shape.set(shape.rank() - 1, w_shape[1]);
  const int64_t k = x_shape[x_shape.rank() - 1];
  node.emit(Gemm{.rows_per_row = x_shape.elements() / k,
                 .k = k,
                 .n = w_shape[1],
                 .transpose_w = false,
                 .activation = Activation::kNone},
            {x, w, kNoValue}, shape);
}

/// An operand of MatMul per row: `matrix` is its last two dimensions, `batch` what comes before.
struct Operand {
  Shape batch;
  int64_t height, width;
  int64_t row_stride;
};

Operand matmul_operand(const Graph& graph, ValueId id, size_t rank) {
  const Shape shape = row_shape_of_operand(graph, id, rank);
  if (shape.rank() < 2) {
    throw UnsupportedOperatorError("a product over the rows mixes the rows of a batch");
  }
  const size_t batch = shape.rank() - 2;
  return {.batch = Shape(shape.dims().first(batch)),
          .height = shape[batch],
          .width = shape[batch + 1],
          .row_stride = graph.is_constant(id) ? 0 : shape.elements()};
}

void emit_batched(NodeLowering& node, ValueId a, ValueId b, size_t rank) {
  const Operand lhs = matmul_operand(node.graph(), a, rank);
  const Operand rhs = matmul_operand(node.graph(), b, rank);
  if (lhs.width != rhs.height) {
    throw ConfigError("a product of (" + std::to_string(lhs.height) + ", " +
                      std::to_string(lhs.width) + ") and (" + std::to_string(rhs.height) + ", " +
                      std::to_string(rhs.width) + ")");
  }
  const Broadcast batch = broadcast(lhs.batch, rhs.batch);
  const Broadcast loops = merged(batch);
  MatMul op{.m = lhs.height,
            .k = lhs.width,
            .n = rhs.width,
            .batch_rank = static_cast<int>(loops.dims.size()),
            .a_row_stride = lhs.row_stride,
            .b_row_stride = rhs.row_stride};
  for (size_t i = 0; i < loops.dims.size(); ++i) {
    op.batch_dims[i] = loops.dims[i];
    op.a_strides[i] = loops.a_strides[i] * lhs.height * lhs.width;
    op.b_strides[i] = loops.b_strides[i] * rhs.height * rhs.width;
  }
  std::vector<int64_t> dims = batch.dims;
  dims.push_back(op.m);
  dims.push_back(op.n);
  node.emit(op, {a, b}, Shape(dims));
}

/// Adds a C of Gemm that is computed, a row of it for each row of the product.
void add_rows(NodeLowering& node, int64_t n, double beta) {
  const ValueId c = node.float_value(2);
  const Shape& shape = node.graph().value(c).shape;
  if (shape.rank() > 1 || (shape.rank() == 1 && shape[0] != 1 && shape[0] != n)) {
    throw ConfigError("C has shape " + shape.to_string() + " per row, want one that fits (" +
                      std::to_string(n) + ",)");
  }
  if (beta != 1.0) throw UnsupportedOperatorError("beta other than 1 for a computed C");
  emit_addition(node, node.result(), c);
}

bool is_constant_vector(const Graph& graph, ValueId id) {
  return graph.is_constant(id) && graph.value(id).shape.rank() == 1;
}

/// The two operands of MatMul times each other; both have two dimensions or more.
void multiply(NodeLowering& node, ValueId a, ValueId b) {
  const Graph& graph = node.graph();
  const auto rank = [&](ValueId id) {
    return graph.value(id).shape.rank() + (graph.is_constant(id) ? 0 : 1);
  };
  for (const ValueId id : {a, b}) {
    if (rank(id) < 2) {
      throw UnsupportedOperatorError("operand \"" + graph.value(id).name +
                                     "\" has fewer than 2 dimensions");
    }
  }
  const Shape x_shape = graph.value(a).shape;
  const Shape w_shape = graph.value(b).shape;
  if (graph.is_constant(b) && w_shape.rank() == 2) {
    if (x_shape[x_shape.rank() - 1] != w_shape[0]) {
      throw ConfigError("a product of " + x_shape.to_string() + " (per row) and " +
                        w_shape.to_string());
    }
    emit_gemm(node, a, b, x_shape);
    return;
  }
  emit_batched(node, a, b, std::max(rank(a), rank(b)));
}

}  // namespace

void lower_gemm(NodeLowering& node) {
  Attributes& attributes = node.attributes;
  const double alpha = attributes.number("alpha", 1.0);
  const double beta = attributes.number("beta", 1.0);
  const bool transpose_w = attributes.integer("transB", 0) != 0;
  attributes.ignore("broadcast");  // opset 6: a C that does not need it is the same with it
  if (attributes.integer("transA", 0) != 0) {
    throw UnsupportedOperatorError("transA 1 sums over the rows, which mixes the rows of a batch");
  }
  const ValueId x = node.activation(0);
  Graph& graph = node.graph();
  const Shape x_shape = graph.value(x).shape;
  const Tensor& w = node.float_constant(1, "B");
  if (x_shape.rank() != 1 || w.shape().rank() != 2) {
    throw ConfigError("A has " + std::to_string(x_shape.rank() + 1) + " and B has " +
                      std::to_string(w.shape().rank()) + " dimensions, want 2 of both");
  }
  const int64_t k = w.shape()[transpose_w ? 1 : 0];
  const int64_t n = w.shape()[transpose_w ? 0 : 1];
  if (k != x_shape[0]) {
    throw ConfigError("A has " + std::to_string(x_shape[0]) + " columns, B has " +
                      std::to_string(k) + " rows");
  }
  const ValueId c = node.optional_input(2);
  const bool c_is_computed = c != kNoValue && !graph.is_constant(c);
  ValueId bias = kNoValue;
  if (c != kNoValue && !c_is_computed) {
    bias = graph.add_constant("", gemm_bias(node.float_constant(2, "C"), n, beta));
  }
  const ValueId weights = alpha == 1.0 ? node.input(1) : graph.add_constant("", scaled(w, alpha));
  node.emit(Gemm{.rows_per_row = 1,
                 .k = k,
                 .n = n,
                 .transpose_w = transpose_w,
                 .activation = Activation::kNone},
            {x, weights, bias}, Shape({n}));
  if (c_is_computed) add_rows(node, n, beta);
}

void lower_matmul(NodeLowering& node) {
  ValueId a = node.float_value(0);
  ValueId b = node.float_value(1);
  Graph& graph = node.graph();
  if (graph.is_constant(a) && graph.is_constant(b)) {
    throw UnsupportedOperatorError("both inputs are constants");
  }
  // A vector is a row on the left and a column on the right; the result has no dimension for it.
  const bool row = is_constant_vector(graph, a);
  const bool column = is_constant_vector(graph, b);
  if (row) {
    const int64_t k = graph.value(a).shape[0];
    a = graph.add_constant("", with_shape(*graph.value(a).constant, Shape({1, k})));
  }
  if (column) {
    const int64_t k = graph.value(b).shape[0];
    b = graph.add_constant("", with_shape(*graph.value(b).constant, Shape({k, 1})));
  }
  multiply(node, a, b);
  if (!row && !column) return;
  const Shape product = graph.value(node.result()).shape;
  std::vector<int64_t> dims(product.dims().begin(), product.dims().end());
  dims.erase(dims.end() - (row ? 2 : 1));
  node.emit_view(node.result(), Shape(dims));
}

}  // namespace inferometer
