#include "inferometer/model.h"

#include <utility>

#include "backend/open_device.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "model/compiled_graph.h"
#include "model/executor.h"
#include "model/fusion.h"
#include "model/lowering.h"

namespace inferometer {

Model Model::compile(const GraphBuilder& builder, const CompileOptions& options) {
  const int64_t start = steady_clock().now_ns();
  auto graph = std::make_shared<Graph>(lower(builder));
  graph->remove_unread();
  if (options.fuse) fuse(*graph);
  return build(graph, options, start);
}

Model Model::build(const std::shared_ptr<const Graph>& source, CompileOptions options,
                   int64_t start_ns) {
  auto backend = open_device(options.device, options.cpu_isa, options.cuda);
  Model model;
  model.options_ = std::move(options);
  if (!backend->uses_host_memory()) model.source_ = source;
  try {
    model.graph_ = std::make_shared<const CompiledGraph>(*source, std::move(backend));
  } catch (const ShapeError& error) {
    throw ConfigError(error.what());  // an output of too many dimensions
  }
  model.compile_ns_ = steady_clock().now_ns() - start_ns;
  return model;
}

Model Model::on(const std::string& device) const {
  if (device == options_.device && graph_->backend()->healthy()) return *this;
  if (!source_) {
    throw ConfigError("got device '" + device + "' for a model on '" + options_.device +
                      "', want a model that was loaded for a GPU");
  }
  CompileOptions options = options_;
  options.device = device;
  return build(source_, std::move(options), steady_clock().now_ns());
}

std::shared_ptr<Executable> Model::make_executable(int64_t reserve_rows) const {
  return std::make_shared<Executor>(graph_, reserve_rows, compile_ns_);
}

const std::vector<TensorSpec>& Model::inputs() const noexcept { return graph_->inputs(); }

const std::vector<TensorSpec>& Model::outputs() const noexcept { return graph_->outputs(); }

int64_t Model::max_rows() const noexcept { return graph_->graph().single_row ? 1 : 0; }

int64_t Model::weights_bytes() const noexcept { return graph_->weights_bytes(); }

int64_t Model::activation_bytes(int64_t rows) const noexcept {
  return graph_->instance_bytes(rows);
}

std::string_view Model::device() const noexcept { return graph_->backend()->name(); }

std::vector<std::string> Model::steps() const {
  std::vector<std::string> labels;
  for (const Op& op : graph_->graph().ops) labels.push_back(op.label);
  return labels;
}

}  // namespace inferometer
