// Python callables as models: the executable seam with a function behind it.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "inferometer/executable.h"
#include "output_names.h"

namespace inferometer::python {

/// A function on a batch of arrays: fn(array) -> array for one input (declared, or given bare by
/// the first request), fn(**arrays) -> dict for named ones. The GIL is taken once a batch. The
/// function sees read-only views of the batch (of a copy, if the batch's memory cannot be kept); a
/// view that it keeps stays valid and unchanged for as long as it keeps it. Answers are copied.
/// As thread-safe as the function.
class CallableModel final : public Executable {
 public:
  /// `function` is called with the GIL held. `specs` may be empty.
  CallableModel(const pybind11::object& function, std::vector<TensorSpec> specs,
                std::shared_ptr<LearnedNames> names);

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return specs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override {
    return no_outputs_;
  }
  // Without an owner of the inputs it copies them itself.
  [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
  [[nodiscard]] bool needs_interpreter() const noexcept override { return true; }
  void run(Batch& batch) override;

 private:
  [[nodiscard]] pybind11::object call(Batch& batch) const;
  void take_output(Batch& batch, size_t index, const std::string& name,
                   const pybind11::handle& value) const;

  const std::shared_ptr<void> function_;
  const std::vector<TensorSpec> specs_;
  const std::vector<TensorSpec> no_outputs_;
  const std::shared_ptr<LearnedNames> names_;
};

/// A function on a list of any objects: fn(list) -> list of as many answers. An answer that is an
/// exception fails its item.
/// As thread-safe as the function.
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
