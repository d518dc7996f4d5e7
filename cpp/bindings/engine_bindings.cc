#include "engine_bindings.h"

#include <pybind11/stl.h>

#include <cmath>
#include <optional>
#include <utility>

#include "batching_options.h"
#include "call_arguments.h"
#include "engine_methods.h"
#include "engine_object.h"
#include "gil.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "specs.h"
#include "stats_dict.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// `kind`: "native" (models are _core.NativeModels), "arrays" or "items" (callables).
std::shared_ptr<EngineObject> make_engine(
    const py::list& models, const std::string& kind, std::string name, std::string version,
    const py::object& batching, const std::vector<SpecTuple>& inputs,
    std::optional<double> latency_objective, bool native_histograms,
    std::shared_ptr<Registry> registry, std::shared_ptr<Faults> faults, bool caller_runs,
    double inline_limit, const py::list& warmup) {
  EngineOptions options;
  options.name = std::move(name);
  options.version = std::move(version);
  options.batching = to_batching(batching);
  if (latency_objective) {
    options.latency_objective_ns = option_ns("latency_objective", *latency_objective);
  }
  options.native_histograms = native_histograms;
  options.caller_runs = caller_runs;
  options.inline_limit_ns = option_ns("inline_limit", inline_limit);
  options.registry = std::move(registry);
  options.warmup = to_samples(warmup);
  options.inputs = to_specs(inputs);
  ModelKind model_kind;
  model_kind.kind = ModelKind::parse(kind);
  model_kind.faults = std::move(faults);
  // A callable says itself what it takes.
  if (model_kind.kind == ModelKind::Kind::kArrays) {
    model_kind.specs = std::exchange(options.inputs, {});
  }
  return std::make_shared<EngineObject>(models, std::move(model_kind), std::move(options));
}

void reconfigure(EngineObject& self, const py::object& batching) {
  const Batching converted = to_batching(batching);
  without_gil([&] { self.engine().reconfigure(converted); });
}

bool drain(EngineObject& self, double timeout) { return self.drain(option_ns("timeout", timeout)); }

bool close(EngineObject& self, double grace) {
  const int64_t ns = option_ns("grace", grace);
  bool left = false;
  without_gil([&] { left = self.engine().close(ns); });
  return left;
}

}  // namespace

void bind_engine(py::module_& m) {
  bind_trace_id(m);
  py::class_<EngineObject, std::shared_ptr<EngineObject>> engine(
      m, "Engine", "The native engine; inferometer.Engine is its public face.");
  engine
      .def(py::init(&make_engine), py::arg("models"), py::arg("kind"), py::arg("name"),
           py::arg("version"), py::arg("batching"), py::arg("inputs"), py::arg("latency_objective"),
           py::arg("native_histograms"), py::arg("registry").none(true),
           py::arg("faults").none(true), py::arg("caller_runs"), py::arg("inline_limit"),
           py::arg("warmup"))
      .def("reconfigure", &reconfigure, py::arg("batching"))
      .def("swap_models", &EngineObject::swap, py::arg("models"))
      .def("stats", [](EngineObject& self) { return to_dict(self.engine().stats()); })
      .def("drain", &drain, py::arg("timeout"))
      .def("close", &close, py::arg("grace"))
      .def_property_readonly("closed", [](EngineObject& self) { return self.engine().closed(); })
      .def_property_readonly("ready", [](EngineObject& self) { return self.engine().ready(); })
      .def_property_readonly("instances",
                             [](EngineObject& self) { return self.engine().instances(); })
      .def_property_readonly("name", [](EngineObject& self) { return self.engine().name(); })
      .def_property_readonly("version", [](EngineObject& self) { return self.engine().version(); })
      .def_property_readonly("inputs",
                             [](EngineObject& self) { return to_tuples(self.engine().inputs()); });
  add_request_methods(engine);
}

}  // namespace inferometer::python
