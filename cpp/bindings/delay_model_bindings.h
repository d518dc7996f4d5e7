// Binds DelayModel.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>
#include <vector>

#include "inferometer/delay_model.h"
#include "native_model.h"

namespace inferometer::python {

/// `_core.DelayModel`: the cost, and an executable with it for every instance. Thread-safe.
class DelayModelObject final : public NativeModel {
 public:
  /// Throws as DelayModel's constructor.
  DelayModelObject(double seconds, double seconds_per_row, std::vector<TensorSpec> inputs)
      : model_(std::make_shared<DelayModel>(seconds, seconds_per_row, std::move(inputs))) {}

  [[nodiscard]] const DelayModel& model() const noexcept { return *model_; }
  /// The same one for all: it has no state.
  [[nodiscard]] std::shared_ptr<Executable> make_executable() const override { return model_; }

 private:
  const std::shared_ptr<DelayModel> model_;
};

/// Adds `_core.DelayModel`. After bind_model().
void bind_delay_model(pybind11::module_& m);

}  // namespace inferometer::python
