// The intermediate form of a model between lowering and execution: operations of the backend on
// numbered values, shapes without the row dimension.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "backend/operations.h"
#include "inferometer/tensor.h"

namespace inferometer {

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

enum class ValueKind : uint8_t {
  kInput,     // in the caller's memory
  kConstant,  // known when the model is compiled
  kComputed,  // written by one operation
  kView,      // another value's memory under another shape
};

/// One tensor of the graph. A value type.
struct Value {
  std::string name;
  ValueKind kind = ValueKind::kComputed;
  DType dtype = DType::kFloat32;
  /// Of one row; for a constant the whole shape.
  Shape shape = {};
  std::shared_ptr<const Tensor> constant = nullptr;
  ValueId viewed = kNoValue;
};

/// y = max(x, 0) over the elements of a row.
struct Relu {
  int64_t elements;
};

/// y = x, bytes of a row.
struct Copy {
  int64_t bytes;
};

using Operation = std::variant<Conv2d, Pool2d, Gemm, MatMul, BroadcastAdd, Relu, Softmax,
                               ReduceMean, ChannelAffine, Copy>;

/// One call of the backend. Inputs by position, kNoValue where absent:
/// Conv2d x weights bias residual; Gemm x w bias; MatMul, BroadcastAdd a b; ChannelAffine x scale
/// shift; others x. A value type.
struct Op {
  Operation operation;
  std::vector<ValueId> inputs;
  ValueId output = kNoValue;
  /// The operators it came from, such as "Conv+Relu".
  std::string label;
};

/// Operations in an order in which they can run. A value type.
struct Graph {
  std::vector<Value> values;
  std::vector<Op> ops;
  std::vector<ValueId> inputs, outputs;
  /// The batch dimension is fixed to 1.
  bool single_row = false;

  [[nodiscard]] const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  [[nodiscard]] Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  [[nodiscard]] bool is_constant(ValueId id) const {
    return id != kNoValue && value(id).kind == ValueKind::kConstant;
  }
  /// The value whose memory this one is: itself unless it is a view.
  [[nodiscard]] ValueId storage(ValueId id) const;
  /// Bytes of one row (of the whole tensor for a constant).
  [[nodiscard]] int64_t bytes(ValueId id) const;
  ValueId add(Value value);
  ValueId add_constant(std::string name, Tensor tensor);

  /// How often each value's memory is read by operations, an output counting as one read. Indexed
  /// by storage().
  [[nodiscard]] std::vector<int> count_reads() const;
  /// Drops operations whose result nobody reads.
  void remove_unread();
};

}  // namespace inferometer
