// Binds native models: the graph builder that the ONNX loader drives, and compiled models.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "inferometer/executable.h"
#include "inferometer/model.h"
#include "native_model.h"

namespace inferometer::python {

/// `_core.Model`: a compiled model, with an instance for run(). Thread-safe.
class ModelObject final : public NativeModel {
 public:
  explicit ModelObject(Model model) : model_(std::move(model)) {}

  [[nodiscard]] const Model& model() const noexcept { return model_; }
  /// They share the weights.
  [[nodiscard]] std::shared_ptr<Executable> make_executable() const override {
    return model_.make_executable();
  }
  /// Runs one batch on the calling thread, without an engine. The GIL is released meanwhile.
  [[nodiscard]] pybind11::object run(const pybind11::args& arrays);

 private:
  const Model model_;
  Mutex mutex_;
  std::shared_ptr<Executable> direct_ GUARDED_BY(mutex_);  // made by the first run()
};

/// Adds `_core.GraphBuilder`, `_core.NativeModel` and `_core.Model`.
void bind_model(pybind11::module_& m);

}  // namespace inferometer::python
