#include "model/compiled_graph.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

/// Operations and outputs name the memory itself, so that running them needs no look-up; specs have
/// been taken before.
void resolve_views(Graph& graph) {
  for (Op& op : graph.ops) {
    for (ValueId& id : op.inputs) {
      if (id != kNoValue) id = graph.storage(id);
    }
  }
  for (ValueId& id : graph.outputs) id = graph.storage(id);
}

/// Weights of matrix products are stored in another order than other constants: gives them values
/// of their own, and says which and for what product.
std::map<ValueId, Gemm> separate_product_weights(Graph& graph) {
  std::map<ValueId, Gemm> products;
  std::map<std::pair<ValueId, bool>, ValueId> copies;
  for (Op& op : graph.ops) {
    const auto* gemm = std::get_if<Gemm>(&op.operation);
    if (gemm == nullptr) continue;
    const auto [found, added] =
        copies.try_emplace({op.inputs[1], gemm->transpose_w}, static_cast<ValueId>(0));
    if (added) {
      found->second = graph.add(Value(graph.value(op.inputs[1])));
      products[found->second] = *gemm;
    }
    op.inputs[1] = found->second;
  }
  return products;
}

std::vector<TensorSpec> specs_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<TensorSpec> specs;
  for (const ValueId id : ids) {
    const Value& value = graph.value(id);
    const int64_t rows = graph.single_row ? 1 : Shape::kFree;
    specs.push_back({value.name, value.dtype, value.shape.prepend(rows)});
  }
  return specs;
}

}  // namespace

CompiledGraph::CompiledGraph(Graph graph, std::shared_ptr<Backend> backend)
    : graph_(std::move(graph)),
      backend_(std::move(backend)),
      plan_(plan_memory(graph_, !backend_->uses_host_memory())),
      inputs_(specs_of(graph_, graph_.inputs)),
      outputs_(specs_of(graph_, graph_.outputs)) {
  resolve_views(graph_);
  upload_constants();
}

void CompiledGraph::upload_constants() {
  const std::map<ValueId, Gemm> products = separate_product_weights(graph_);
  std::set<ValueId> used;
  for (const Op& op : graph_.ops) {
    for (const ValueId id : op.inputs) {
      if (graph_.is_constant(id)) used.insert(id);
    }
  }
  const auto bytes_of = [&](ValueId id) {
    const auto product = products.find(id);
    return aligned(product == products.end() ? graph_.value(id).constant->bytes()
                                             : backend_->gemm_weights_bytes(product->second));
  };
  size_t bytes = 0;
  for (const ValueId id : used) bytes += bytes_of(id);
  if (bytes > 0) weights_ = DeviceBuffer(backend_, bytes);
  constants_.assign(graph_.values.size(), nullptr);
  std::byte* place = weights_.data();
  for (const ValueId id : used) {
    const Tensor& tensor = *graph_.value(id).constant;
    if (const auto product = products.find(id); product != products.end()) {
      backend_->load_gemm_weights(product->second, tensor.as<float>().data(), place);
    } else {
      backend_->load(place, tensor.view().data, tensor.bytes());
    }
    constants_[static_cast<size_t>(id)] = place;
    place += bytes_of(id);
  }
  for (Value& value : graph_.values) value.constant.reset();  // the host copy has done its work
}

int64_t CompiledGraph::workspace_bytes(int64_t rows) const {
  size_t bytes = 0;
  for (const Op& op : graph_.ops) {
    if (const auto* conv = std::get_if<Conv2d>(&op.operation)) {
      bytes = std::max(bytes, backend_->conv2d_workspace_bytes(*conv, rows));
    }
  }
  return static_cast<int64_t>(bytes);
}

int64_t CompiledGraph::arena_bytes(int64_t rows) const {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(rows, plan_.bytes_per_row, &bytes) ||
      __builtin_add_overflow(bytes, workspace_bytes(rows), &bytes)) {
    throw ShapeError("got " + std::to_string(rows) + " rows of " +
                     std::to_string(plan_.bytes_per_row) + " bytes of working memory each");
  }
  return bytes;
}

int64_t CompiledGraph::instance_bytes(int64_t rows) const noexcept {
  try {
    return arena_bytes(rows) + static_cast<int64_t>(backend_->stream_bytes());
  } catch (const ShapeError&) {
    return std::numeric_limits<int64_t>::max();
  }
}

}  // namespace inferometer
