#include "engine_models.h"

#include <utility>

#include "arrays.h"
#include "callable_model.h"
#include "faults_bindings.h"
#include "native_model.h"

namespace py = pybind11;

namespace inferometer::python {

ModelKind::Kind ModelKind::parse(const std::string& name) {
  if (name == "native") return Kind::kNative;
  return name == "items" ? Kind::kItems : Kind::kArrays;
}

std::vector<std::shared_ptr<Executable>> ModelKind::load(const py::list& models) const {
  std::vector<std::shared_ptr<Executable>> executables;
  for (const py::handle& model : models) {
    std::shared_ptr<Executable> executable;
    switch (kind) {
      case Kind::kNative:
        executable = model.cast<const NativeModel&>().make_executable();
        break;
      case Kind::kItems:
        executable = std::make_shared<ItemsModel>(py::reinterpret_borrow<py::object>(model));
        break;
      case Kind::kArrays:
        executable = std::make_shared<CallableModel>(py::reinterpret_borrow<py::object>(model),
                                                     specs, names);
        break;
    }
    executables.push_back(with_faults(std::move(executable), faults));
  }
  return executables;
}

std::shared_ptr<const std::vector<WarmupSample>> to_samples(const py::list& samples) {
  auto converted = std::make_shared<std::vector<WarmupSample>>();
  for (const py::handle& given : samples) {
    CallInputs inputs(given);
    if (!inputs.contiguous()) inputs.make_contiguous();
    WarmupSample sample;
    for (const NamedInput& input : inputs.inputs()) {
      sample.emplace_back(std::string(input.name), Tensor::copy_of(input.view));
    }
    converted->push_back(std::move(sample));
  }
  return converted;
}

}  // namespace inferometer::python
