#include "model/lowering.h"

#include <map>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

// Far above any model that fits into memory, far below where products of sizes overflow.
constexpr int64_t kMaxRowElements = int64_t{1} << 40;

const std::map<std::string, void (*)(NodeLowering&)>& operators() {
  static const std::map<std::string, void (*)(NodeLowering&)> kTable = {
      {"Add", lower_add},
      {"AveragePool", lower_pool},
      {"BatchNormalization", lower_batch_normalization},
      {"Conv", lower_conv},
      {"Flatten", lower_flatten},
      {"Gemm", lower_gemm},
      {"GlobalAveragePool", lower_global_average_pool},
      {"Identity", lower_identity},
      {"MatMul", lower_matmul},
      {"MaxPool", lower_pool},
      {"ReduceMean", lower_reduce_mean},
      {"Relu", lower_relu},
      {"Reshape", lower_reshape},
      {"Softmax", lower_softmax}};
  return kTable;
}

std::string describe(const GraphNode& node) {
  return node.op + " \"" + (node.name.empty() ? node.outputs[0] : node.name) + "\"";
}

void check_row_shape(const Shape& shape) {
  int64_t elements = 1;
  for (const int64_t dim : shape.dims()) {
    if (dim < 1) throw ConfigError("a result has shape " + shape.to_string() + " per row");
    if (__builtin_mul_overflow(elements, dim, &elements) || elements > kMaxRowElements) {
      throw ConfigError("a result of shape " + shape.to_string() + " per row is too large");
    }
  }
}

}  // namespace

ValueId NodeLowering::input(size_t index) const {
  const ValueId id = optional_input(index);
  if (id == kNoValue) throw ConfigError("input " + std::to_string(index) + " is missing");
  return id;
}

ValueId NodeLowering::float_value(size_t index) const {
  const ValueId id = input(index);
  const Value& value = graph_.value(id);
  if (value.dtype != DType::kFloat32) {
    throw UnsupportedOperatorError("got " + std::string(dtype_name(value.dtype)) + " in \"" +
                                   value.name + "\", only float32 is supported");
  }
  return id;
}

ValueId NodeLowering::activation(size_t index) const {
  if (is_constant(index)) {
    throw UnsupportedOperatorError("input " + std::to_string(index) +
                                   " is a constant, only computed values are supported there");
  }
  return float_value(index);
}

const Tensor& NodeLowering::float_constant(size_t index, const std::string& what) const {
  if (!is_constant(index)) {
    throw UnsupportedOperatorError(what + " is computed, only constants are supported");
  }
  return *graph_.value(float_value(index)).constant;
}

std::vector<int64_t> NodeLowering::integer_constant(size_t index, const std::string& what) const {
  if (!is_constant(index)) {
    throw UnsupportedOperatorError(what + " is computed, only constants are supported");
  }
  const Tensor& tensor = *graph_.value(input(index)).constant;
  if (tensor.dtype() != DType::kInt64) {
    throw ConfigError(what + " is " + std::string(dtype_name(tensor.dtype())) + ", want int64");
  }
  const auto numbers = tensor.as<int64_t>();
  return {numbers.begin(), numbers.end()};
}

int64_t NodeLowering::normalise_axis(int64_t axis, int64_t rank, int64_t limit) {
  if (axis < -rank || axis >= limit) {
    throw ConfigError("got axis " + std::to_string(axis) + " for " + std::to_string(rank) +
                      " dimensions");
  }
  return axis < 0 ? axis + rank : axis;
}

ValueId NodeLowering::emit(Operation operation, std::vector<ValueId> inputs,
                           const Shape& row_shape) {
  check_row_shape(row_shape);
  result_ = graph_.add({.name = node_.outputs[0], .shape = row_shape});
  graph_.ops.push_back(
      {.operation = operation, .inputs = std::move(inputs), .output = result_, .label = node_.op});
  return result_;
}

void NodeLowering::emit_view(ValueId of, const Shape& row_shape) {
  check_row_shape(row_shape);
  result_ = graph_.add({.name = node_.outputs[0],
                        .kind = ValueKind::kView,
                        .dtype = graph_.value(of).dtype,
                        .shape = row_shape,
                        .viewed = of});
}

void NodeLowering::emit_constant(Tensor tensor) {
  result_ = graph_.add_constant(node_.outputs[0], std::move(tensor));
}

/// Walks a builder's nodes in order; a friend of GraphBuilder. Single-owner.
class GraphLowering {
 public:
  explicit GraphLowering(const GraphBuilder& builder) : builder_(builder) {}

  Graph run() {
    for (const TensorSpec& spec : builder_.inputs_) lower_input(spec);
    for (const auto& [name, tensor] : builder_.constants_) {
      values_[name] = graph_.add({.name = name,
                                  .kind = ValueKind::kConstant,
                                  .dtype = tensor->dtype(),
                                  .shape = tensor->shape(),
                                  .constant = tensor});
    }
    for (const GraphNode& node : builder_.nodes_) lower_node(node);
    if (!problems_.empty()) {
      throw UnsupportedOperatorError("the native executor does not support:" + problems_);
    }
    if (builder_.inputs_.empty()) throw ConfigError("the graph has no inputs");
    if (builder_.outputs_.empty()) throw ConfigError("the graph has no outputs");
    for (const std::string& name : builder_.outputs_) lower_output(name);
    return std::move(graph_);
  }

 private:
  static constexpr ValueId kUnknown = -2;  // the result of an unsupported node

  void lower_input(const TensorSpec& spec) {
    const std::string what = "input \"" + spec.name + "\" has shape " + spec.shape.to_string();
    if (spec.shape.rank() == 0 || (spec.shape[0] != Shape::kFree && spec.shape[0] != 1)) {
      throw ConfigError(what + ": dimension 0 counts rows, want -1 (any number) or 1");
    }
    const bool single_row = spec.shape[0] == 1;
    if (!graph_.inputs.empty() && single_row != graph_.single_row) {
      throw ConfigError(what + ", but another input has a dimension 0 of " +
                        (single_row ? "-1" : "1"));
    }
    const Shape row_shape = spec.shape.tail(1);
    for (const int64_t dim : row_shape.dims()) {
      if (dim < 1) throw ConfigError(what + ": only dimension 0 may be free, none may be 0");
    }
    check_row_shape(row_shape);
    graph_.single_row = single_row;
    const ValueId id = graph_.add(
        {.name = spec.name, .kind = ValueKind::kInput, .dtype = spec.dtype, .shape = row_shape});
    graph_.inputs.push_back(id);
    values_[spec.name] = id;
  }

  void lower_node(const GraphNode& node) {
    ValueId result = kUnknown;
    try {
      result = lower_known(node);
    } catch (const UnsupportedOperatorError& error) {
      problems_ += "\n  " + describe(node) + ": " + error.what();
    } catch (const Error& error) {
      throw ConfigError(describe(node) + ": " + error.what());
    }
    values_[node.outputs[0]] = result;
    for (size_t i = 1; i < node.outputs.size(); ++i) values_[node.outputs[i]] = kUnknown;
  }

  ValueId lower_known(const GraphNode& node) {
    const auto found = operators().find(node.op);
    if (found == operators().end()) throw UnsupportedOperatorError("not implemented");
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) {
        throw UnsupportedOperatorError("output " + std::to_string(i) + " (\"" + node.outputs[i] +
                                       "\") is not supported");
      }
    }
    std::vector<ValueId> inputs;
    for (const std::string& name : node.inputs) {
      inputs.push_back(name.empty() ? kNoValue : values_.at(name));
      // Its shape is unknown, and the reason is in the list already.
      if (inputs.back() == kUnknown) return kUnknown;
    }
    NodeLowering context(node, graph_, std::move(inputs));
    found->second(context);
    context.attributes.require_all_read();
    return context.result();
  }

  /// Gives every output memory of its own, to be written by the operation that computes it.
  void lower_output(const std::string& name) {
    ValueId id = values_.at(name);
    if (graph_.is_constant(id)) {
      throw ConfigError("output \"" + name + "\" is a constant, it has no rows");
    }
    const bool taken = graph_.value(graph_.storage(id)).kind == ValueKind::kInput ||
                       !outputs_.insert(graph_.storage(id)).second;
    if (taken) {
      const Value source = graph_.value(id);
      const ValueId copy = graph_.add({.name = name, .dtype = source.dtype, .shape = source.shape});
      graph_.ops.push_back({Copy{graph_.bytes(id)}, {id}, copy, "Copy"});
      id = copy;
    }
    graph_.outputs.push_back(id);
  }

  const GraphBuilder& builder_;
  Graph graph_;
  std::map<std::string, ValueId> values_;
  std::set<ValueId> outputs_;
  std::string problems_;
};

Graph lower(const GraphBuilder& builder) { return GraphLowering(builder).run(); }

}  // namespace inferometer
