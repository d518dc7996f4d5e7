#include "model/graph.h"

#include <algorithm>

namespace inferometer {

ValueId Graph::storage(ValueId id) const {
  while (value(id).kind == ValueKind::kView) id = value(id).viewed;
  return id;
}

int64_t Graph::bytes(ValueId id) const {
  const Value& v = value(id);
  return v.shape.elements() * static_cast<int64_t>(dtype_size(v.dtype));
}

ValueId Graph::add(Value value) {
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(std::string name, Tensor tensor) {
  Value value{.name = std::move(name),
              .kind = ValueKind::kConstant,
              .dtype = tensor.dtype(),
              .shape = tensor.shape()};
  value.constant = std::make_shared<const Tensor>(std::move(tensor));
  return add(std::move(value));
}

std::vector<int> Graph::count_reads() const {
  std::vector<int> reads(values.size());
  for (const Op& op : ops) {
    for (const ValueId id : op.inputs) {
      if (id != kNoValue) ++reads[static_cast<size_t>(storage(id))];
    }
  }
  for (const ValueId id : outputs) ++reads[static_cast<size_t>(storage(id))];
  return reads;
}

void Graph::remove_unread() {
  std::vector<int> reads = count_reads();
  std::vector<Op> kept;
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    if (reads[static_cast<size_t>(op->output)] > 0) {
      kept.push_back(std::move(*op));
      continue;
    }
    for (const ValueId id : op->inputs) {
      if (id != kNoValue) --reads[static_cast<size_t>(storage(id))];
    }
  }
  std::ranges::reverse(kept);
  ops = std::move(kept);
}

}  // namespace inferometer
