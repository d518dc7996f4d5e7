// A graph ready to run on one device: constants uploaded, memory planned.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/device_buffer.h"
#include "inferometer/tensor.h"
#include "model/graph.h"
#include "model/memory_plan.h"

namespace inferometer {

/// Shared by all instances of a model and never changed. Const-safe (the backend is thread-safe).
class CompiledGraph {
 public:
  /// Uploads the constants that operations read. Throws what the backend's memory throws.
  CompiledGraph(Graph graph, std::shared_ptr<Backend> backend);

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] const MemoryPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] const std::shared_ptr<Backend>& backend() const noexcept { return backend_; }
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept { return outputs_; }
  /// By value: where a constant lies on the device, null for other values.
  [[nodiscard]] const std::vector<std::byte*>& constants() const noexcept { return constants_; }
  [[nodiscard]] int64_t weights_bytes() const noexcept {
    return static_cast<int64_t>(weights_.bytes());
  }
  /// Scratch memory of the operations and the whole arena for `rows` rows. Throw ShapeError if the
  /// number does not fit.
  [[nodiscard]] int64_t workspace_bytes(int64_t rows) const;
  [[nodiscard]] int64_t arena_bytes(int64_t rows) const;
  /// Device memory of an instance that has run `rows` rows; the largest number if it does not fit.
  [[nodiscard]] int64_t instance_bytes(int64_t rows) const noexcept;

 private:
  void upload_constants();

  Graph graph_;
  std::shared_ptr<Backend> backend_;
  MemoryPlan plan_;
  std::vector<TensorSpec> inputs_, outputs_;
  DeviceBuffer weights_;
  std::vector<std::byte*> constants_;
};

}  // namespace inferometer
