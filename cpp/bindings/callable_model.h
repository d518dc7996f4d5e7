// Python callables as models: the executable seam with a function behind it.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "inferometer/executable.h"

namespace inferometer::python {

/// What the answers of a model are called: names in the order of its outputs, and whether it
/// answers with one bare array instead of a dict.
struct OutputNames {
  std::vector<std::string> names;
  bool bare = false;
};

/// A function on a batch of arrays: fn(array) -> array for one input (declared, or given bare by
/// the first request), fn(**arrays) -> dict for named ones. The GIL is taken once a batch. The
/// function sees read-only views of the batch (of a copy, if the batch's memory cannot be kept); a
/// view that it keeps stays valid and unchanged for as long as it keeps it. Answers are copied.
/// run() on one thread at a time; the rest is thread-safe.
class CallableModel final : public Executable {
 public:
  /// `function` is called with the GIL held. `specs` may be empty.
  CallableModel(const pybind11::object& function, std::vector<TensorSpec> specs);

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return specs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override {
    return no_outputs_;
  }
  // Without an owner of the inputs it copies them itself.
  [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
  [[nodiscard]] bool needs_interpreter() const noexcept override { return true; }
  void run(Batch& batch) override;

  /// Fixed by the first successful batch, null before. Lives as long as the model.
  [[nodiscard]] const OutputNames* output_names() const noexcept {
    return output_names_.load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] pybind11::object call(Batch& batch) const;
  void take_output(Batch& batch, size_t index, const std::string& name,
                   const pybind11::handle& value) const;
  const OutputNames& remember_names(OutputNames found);

  const std::shared_ptr<void> function_;
  const std::vector<TensorSpec> specs_;
  const std::vector<TensorSpec> no_outputs_;

  std::atomic<const OutputNames*> output_names_{nullptr};  // set once; owned by owned_names_
  Mutex mutex_;
  std::unique_ptr<const OutputNames> owned_names_ GUARDED_BY(mutex_);
};

/// A function on a list of any objects: fn(list) -> list of as many answers. An answer that is an
/// exception fails its item.
/// run() on one thread at a time.
class ItemsModel final : public Executable {
 public:
  explicit ItemsModel(const pybind11::object& function);

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return none_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return none_; }
  [[nodiscard]] bool needs_interpreter() const noexcept override { return true; }
  void run(Batch& batch) override;

 private:
  const std::shared_ptr<void> function_;
  const std::vector<TensorSpec> none_;
};

}  // namespace inferometer::python
