// Runs a compiled graph: the native implementation of the executable seam.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "inferometer/executable.h"
#include "model/compiled_graph.h"
#include "model/staged_io.h"

namespace inferometer {

/// One instance of a compiled graph with a stream and working memory of its own. A run allocates
/// nothing once a batch of at least as many rows has been run (or reserved). run() is single-owner;
/// the rest is const-safe.
class Executor final : public Executable {
 public:
  /// `load_ns`: what it took to compile the graph.
  explicit Executor(std::shared_ptr<const CompiledGraph> compiled, int64_t reserve_rows = 0,
                    int64_t load_ns = 0);

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override {
    return compiled_->inputs();
  }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override {
    return compiled_->outputs();
  }
  [[nodiscard]] int64_t max_rows() const noexcept override {
    return compiled_->graph().single_row ? 1 : 0;
  }
  [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
  [[nodiscard]] int64_t weights_bytes() const noexcept override {
    return compiled_->weights_bytes();
  }
  [[nodiscard]] const void* weights() const noexcept override { return compiled_.get(); }
  /// What the working memory takes once it has grown to `rows` rows.
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept override {
    return compiled_->instance_bytes(rows);
  }
  [[nodiscard]] int64_t load_ns() const noexcept override { return load_ns_; }
  /// Throws ShapeError, DTypeError or InputError if the inputs are not what inputs() says, and
  /// DeviceError if the device fails. Nothing of the batch is in use any more once it has thrown.
  void run(Batch& batch) override;
  [[nodiscard]] bool healthy() const noexcept override { return compiled_->backend()->healthy(); }

 private:
  void check_inputs(const Batch& batch) const;
  void reserve(int64_t rows);
  void bind(int64_t rows);
  void bind_outputs(Batch& batch);
  void run_on_host(Batch& batch);
  void run_staged(Batch& batch);
  void run_ops(int64_t rows);
  void run_op(const Op& op, int64_t rows);
  [[nodiscard]] const float* read(const Op& op, size_t input) const;

  const std::shared_ptr<const CompiledGraph> compiled_;
  const int64_t load_ns_;
  const bool staged_;  // the device cannot reach the batch's memory
  DeviceBuffer arena_;
  StagedIo io_;
  int64_t bound_rows_ = 0;
  std::byte* workspace_ = nullptr;
  /// By value, only for values that own memory. Non-const because most are written once a run;
  /// inputs and constants never are.
  std::vector<std::byte*> memory_;
  std::vector<MutableTensorView> results_;  // of the running batch
  std::unique_ptr<Stream> stream_;          // goes first: it waits for what uses the memory
};

}  // namespace inferometer
