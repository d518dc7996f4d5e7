#include "inferometer/model.h"

#include <utility>

#include "backend/cpu_backend.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "model/compiled_graph.h"
#include "model/executor.h"
#include "model/fusion.h"
#include "model/lowering.h"

namespace inferometer {

Model Model::compile(const GraphBuilder& builder, const CompileOptions& options) {
  const int64_t start = steady_clock().now_ns();
  auto backend = make_cpu_backend(options.cpu_isa);
  Graph graph = lower(builder);
  graph.remove_unread();
  if (options.fuse) fuse(graph);
  try {
    auto compiled = std::make_shared<const CompiledGraph>(std::move(graph), std::move(backend));
    return {std::move(compiled), steady_clock().now_ns() - start};
  } catch (const ShapeError& error) {
    throw ConfigError(error.what());  // an output of too many dimensions
  }
}

std::shared_ptr<Executable> Model::make_executable(int64_t reserve_rows) const {
  return std::make_shared<Executor>(graph_, reserve_rows, compile_ns_);
}

const std::vector<TensorSpec>& Model::inputs() const noexcept { return graph_->inputs(); }

const std::vector<TensorSpec>& Model::outputs() const noexcept { return graph_->outputs(); }

std::string_view Model::device() const noexcept { return graph_->backend()->name(); }

std::vector<std::string> Model::steps() const {
  std::vector<std::string> labels;
  for (const Op& op : graph_->graph().ops) labels.push_back(op.label);
  return labels;
}

}  // namespace inferometer
