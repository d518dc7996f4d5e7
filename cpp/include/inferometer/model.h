// Native models: a graph of ONNX operators, compiled for one device.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "inferometer/devices.h"
#include "inferometer/executable.h"
#include "inferometer/tensor.h"

namespace inferometer {

class CompiledGraph;
struct Graph;

using Attribute =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

/// One operator: ONNX names, attributes and semantics (those of opset 13 and later; what older
/// opsets mean differently is translated by whoever reads the file). An empty input or output name
/// stands for an absent optional one. A value type.
struct GraphNode {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
};

/// A model before compilation, built by add_*() in any order that defines a name before its use.
/// Mistakes in names (unknown, defined twice) throw ConfigError at once. Single-owner.
class GraphBuilder {
 public:
  /// `spec.shape`: rows first. Dimension 0 is free, or 1 for a model that takes one row at a time.
  void add_input(TensorSpec spec);
  void add_constant(const std::string& name, Tensor value);
  void add_node(GraphNode node);
  void add_output(const std::string& name);

 private:
  friend class GraphLowering;
  void define(const std::string& name, const std::string& what);

  std::vector<TensorSpec> inputs_;
  std::map<std::string, std::shared_ptr<const Tensor>> constants_;
  std::vector<GraphNode> nodes_;
  std::vector<std::string> outputs_;
  std::map<std::string, std::string> defined_;  // name -> what defines it, for messages
};

struct CompileOptions {
  /// "cpu" or "cuda:N".
  std::string device = "cpu";
  CudaFiles cuda = {};
  /// CPU kernels to use: "v2", "v3" or "v4" (x86-64 levels). Empty: INFEROMETER_CPU_ISA, or the
  /// best that this processor runs.
  std::string cpu_isa = {};
  /// Merge operators where that saves a pass over memory. Off only to compare.
  bool fuse = true;
};

/// A compiled model: weights on the device, steps and memory plan; nothing in it ever changes, so
/// copies share one. Const-safe.
///
/// A row's answer depends on that row alone. It is equal within 1e-5 (relative) whatever else is in
/// the batch, but not to the bit: matrix products are blocked differently for other batch sizes.
/// NaN in a row comes out as NaN in that row.
class Model {
 public:
  /// Checks, infers shapes, fuses and plans memory. Throws UnsupportedOperatorError naming every
  /// operator that is not implemented, is used in an unsupported way, or would mix the rows of a
  /// batch; ConfigError for a graph that is wrong in itself; DeviceError if the device cannot be
  /// used or has no room for the weights.
  [[nodiscard]] static Model compile(const GraphBuilder& graph, const CompileOptions& options = {});

  /// The same model on another GPU, for a model that was compiled for one; itself, if it is there.
  /// Throws what compile() throws of devices.
  [[nodiscard]] Model on(const std::string& device) const;

  /// A new instance with working memory of its own, which grows to the largest batch seen (and is
  /// allocated for `reserve_rows` rows at once). Instances share the weights and may run at the
  /// same time; they keep what they need of this model alive.
  [[nodiscard]] std::shared_ptr<Executable> make_executable(int64_t reserve_rows = 0) const;

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept;
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept;
  /// As Executable's, of an instance.
  [[nodiscard]] int64_t max_rows() const noexcept;
  [[nodiscard]] int64_t weights_bytes() const noexcept;
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept;
  /// Where it runs, such as "cpu (x86-64-v3)" or "cuda:0 (NVIDIA H200)".
  [[nodiscard]] std::string_view device() const noexcept;
  /// What a run executes, in order, such as "Conv+Relu".
  [[nodiscard]] std::vector<std::string> steps() const;

 private:
  Model() = default;
  [[nodiscard]] static Model build(const std::shared_ptr<const Graph>& source,
                                   CompileOptions options, int64_t start_ns);

  CompileOptions options_;
  std::shared_ptr<const CompiledGraph> graph_;
  /// With the constants, for on(); null on a CPU, which there is only one of.
  std::shared_ptr<const Graph> source_;
  int64_t compile_ns_ = 0;
};

}  // namespace inferometer
