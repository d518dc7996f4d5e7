#include "faults_bindings.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>

#include "gil.h"
#include "inferometer/errors.h"
#include "inferometer/faulty_model.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

/// Thread-safe as FaultyModel.
class FaultyPythonModel final : public FaultyModel {
 public:
  using FaultyModel::FaultyModel;

 protected:
  [[nodiscard]] bool hold(const BatchFaults& batch) override {
    if (PyGILState_Check() == 0) return FaultyModel::hold(batch);
    bool goes_on = false;
    without_gil([&] { goes_on = FaultyModel::hold(batch); });
    return goes_on;
  }
};

FaultKind parse_kind(const std::string& name) {
  const auto kind = parse_fault_kind(name);
  if (kind) return *kind;
  throw ConfigError("kind: got '" + name + "', want 'delay', 'error', 'stall' or 'partial'");
}

void add_fault(Faults& self, const std::string& kind, double seconds, double ratio,
               double start_after, std::optional<double> duration) {
  self.add({parse_kind(kind), seconds, ratio, start_after, duration});
}

void clear_faults(Faults& self, const std::optional<std::string>& kind) {
  self.clear(kind ? std::optional(parse_kind(*kind)) : std::nullopt);
}

py::list active_faults(const Faults& self) {
  py::list list;
  for (const auto& [fault, ends_in] : self.active()) {
    py::dict shown;
    shown["kind"] = std::string(fault_kind_name(fault.kind));
    if (fault.kind == FaultKind::kDelay) shown["seconds"] = fault.seconds;
    if (fault.kind == FaultKind::kError || fault.kind == FaultKind::kPartial) {
      shown["ratio"] = fault.ratio;
    }
    shown["ends_in"] = ends_in;
    list.append(shown);
  }
  return list;
}

py::dict injected_faults(const Faults& self) {
  const auto counts = self.injected();
  py::dict by_kind;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    by_kind[py::str(std::string(fault_kind_name(static_cast<FaultKind>(i))))] = counts[i];
  }
  return by_kind;
}

}  // namespace

std::shared_ptr<Executable> with_faults(std::shared_ptr<Executable> model,
                                        std::shared_ptr<Faults> faults) {
  if (!faults) return model;
  return std::make_shared<FaultyPythonModel>(std::move(model), std::move(faults));
}

void bind_faults(py::module_& m) {
  py::class_<Faults, std::shared_ptr<Faults>>(
      m, "Faults", "Faults to inject; inferometer.Faults is its public face.")
      .def(py::init([](std::optional<uint64_t> seed) { return std::make_shared<Faults>(seed); }),
           py::arg("seed"))
      .def("add", &add_fault, py::arg("kind"), py::arg("seconds"), py::arg("ratio"),
           py::arg("start_after"), py::arg("duration"))
      .def("clear", &clear_faults, py::arg("kind"))
      .def("active", &active_faults)
      .def("injected", &injected_faults);
}

}  // namespace inferometer::python
