#include <utility>

#include "inferometer/errors.h"
#include "inferometer/model.h"

namespace inferometer {

void GraphBuilder::define(const std::string& name, const std::string& what) {
  if (name.empty()) throw ConfigError(what + " has an empty name");
  const auto [found, added] = defined_.emplace(name, what);
  if (!added) {
    throw ConfigError("\"" + name + "\" is defined twice: by " + found->second + " and by " + what);
  }
}

void GraphBuilder::add_input(TensorSpec spec) {
  define(spec.name, "an input");
  inputs_.push_back(std::move(spec));
}

void GraphBuilder::add_constant(const std::string& name, Tensor value) {
  define(name, "a constant");
  constants_.emplace(name, std::make_shared<const Tensor>(std::move(value)));
}

void GraphBuilder::add_node(GraphNode node) {
  const std::string what = "node " + node.op + " \"" + node.name + "\"";
  for (const std::string& input : node.inputs) {
    if (input.empty() || defined_.contains(input)) continue;
    throw ConfigError(std::string(what)
                          .append(" reads \"")
                          .append(input)
                          .append("\", which nothing before it defines"));
  }
  if (node.outputs.empty() || node.outputs[0].empty()) throw ConfigError(what + " has no output");
  for (const std::string& output : node.outputs) {
    if (!output.empty()) define(output, what);
  }
  nodes_.push_back(std::move(node));
}

void GraphBuilder::add_output(const std::string& name) {
  if (!defined_.contains(name)) {
    throw ConfigError("output \"" + name + "\" is defined by nothing in the graph");
  }
  for (const std::string& output : outputs_) {
    if (output == name) throw ConfigError("output \"" + name + "\" is listed twice");
  }
  outputs_.push_back(name);
}

}  // namespace inferometer
