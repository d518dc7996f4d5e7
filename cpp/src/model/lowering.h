// From ONNX operators to operations of the backend: shapes are inferred, every use is checked, and
// the rows of a batch are proved independent.
//
// Rows. Dimension 0 of every activation is the batch, and shapes in the graph leave it out. An
// operator that would move it, reduce over it or fix its size is refused, because batching requests
// of strangers would then change their answers.
#pragma once

#include <string>
#include <vector>

#include "inferometer/model.h"
#include "model/attributes.h"
#include "model/graph.h"

namespace inferometer {

/// One node while it is lowered: what it reads and how it says what it computes. Functions throw
/// UnsupportedOperatorError (this use is not implemented, or mixes rows) or ConfigError (wrong in
/// itself); the caller adds the node's name. Single-owner.
class NodeLowering {
 public:
  NodeLowering(const GraphNode& node, Graph& graph, std::vector<ValueId> inputs)
      : attributes(node), node_(node), graph_(graph), inputs_(std::move(inputs)) {}

  Attributes attributes;

  [[nodiscard]] const std::string& op() const noexcept { return node_.op; }
  [[nodiscard]] Graph& graph() noexcept { return graph_; }
  [[nodiscard]] bool single_row() const noexcept { return graph_.single_row; }
  [[nodiscard]] size_t input_count() const noexcept { return inputs_.size(); }
  /// kNoValue if the input is absent.
  [[nodiscard]] ValueId optional_input(size_t index) const noexcept {
    return index < inputs_.size() ? inputs_[index] : kNoValue;
  }
  [[nodiscard]] ValueId input(size_t index) const;
  [[nodiscard]] bool is_constant(size_t index) const { return graph_.is_constant(input(index)); }
  /// Input `index` as a float32 activation (or as float32 of either kind).
  [[nodiscard]] ValueId activation(size_t index) const;
  [[nodiscard]] ValueId float_value(size_t index) const;
  /// Input `index` as a constant: its floats, or its int64 numbers.
  [[nodiscard]] const Tensor& float_constant(size_t index, const std::string& what) const;
  [[nodiscard]] std::vector<int64_t> integer_constant(size_t index, const std::string& what) const;
  /// Axis counted from the front, rows included. Throws ConfigError outside [-rank, limit).
  [[nodiscard]] static int64_t normalise_axis(int64_t axis, int64_t rank, int64_t limit);

  /// The node's output is what `operation` writes: `row_shape`, float32.
  ValueId emit(Operation operation, std::vector<ValueId> inputs, const Shape& row_shape);
  /// The node's output is the memory of `of` under another shape.
  void emit_view(ValueId of, const Shape& row_shape);
  void emit_constant(Tensor tensor);
  [[nodiscard]] ValueId result() const noexcept { return result_; }

 private:
  const GraphNode& node_;
  Graph& graph_;
  std::vector<ValueId> inputs_;
  ValueId result_ = kNoValue;
};

/// The graph of operations for what `builder` describes, not fused yet.
[[nodiscard]] Graph lower(const GraphBuilder& builder);

/// The node's output is a + b, broadcast; `a` is no constant. In lower_add.cc.
void emit_addition(NodeLowering& node, ValueId a, ValueId b);
/// The same numbers under another shape of as many. In lower_view.cc.
[[nodiscard]] Tensor with_shape(const Tensor& tensor, const Shape& shape);

// One function per operator family, in lower_*.cc.
void lower_conv(NodeLowering& node);
void lower_batch_normalization(NodeLowering& node);
void lower_pool(NodeLowering& node);
void lower_global_average_pool(NodeLowering& node);
void lower_gemm(NodeLowering& node);
void lower_matmul(NodeLowering& node);
void lower_add(NodeLowering& node);
void lower_relu(NodeLowering& node);
void lower_softmax(NodeLowering& node);
void lower_reduce_mean(NodeLowering& node);
void lower_flatten(NodeLowering& node);
void lower_reshape(NodeLowering& node);
void lower_identity(NodeLowering& node);

}  // namespace inferometer
