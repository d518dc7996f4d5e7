#include "engine_bindings.h"

#include <pybind11/stl.h>

#include <cmath>
#include <optional>
#include <utility>

#include "call_arguments.h"
#include "engine_methods.h"
#include "engine_object.h"
#include "faults_bindings.h"
#include "gil.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "native_model.h"
#include "specs.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

int64_t option_ns(const char* name, double seconds) {
  if (std::isnan(seconds)) throw ConfigError(std::string(name) + ": got nan, want seconds");
  return seconds_to_ns(seconds);
}

// `kind`: "native" (model is a _core.NativeModel), "arrays" or "items" (model is callable).
std::shared_ptr<EngineObject> make_engine(
    const py::object& model, const std::string& kind, std::string name, std::string version,
    int64_t max_batch_size, double max_queue_delay, int64_t max_queue_size,
    std::optional<double> default_timeout, const std::vector<SpecTuple>& inputs,
    std::optional<double> latency_objective, bool native_histograms,
    std::shared_ptr<Registry> registry, std::shared_ptr<Faults> faults) {
  EngineOptions options;
  options.name = std::move(name);
  options.version = std::move(version);
  options.batching.max_batch_size = max_batch_size;
  options.batching.max_queue_delay_ns = option_ns("max_queue_delay", max_queue_delay);
  options.batching.max_queue_size = max_queue_size;
  if (default_timeout) {
    options.batching.default_timeout_ns = option_ns("default_timeout", *default_timeout);
  }
  if (latency_objective) {
    options.latency_objective_ns = option_ns("latency_objective", *latency_objective);
  }
  options.native_histograms = native_histograms;
  options.registry = std::move(registry);
  options.inputs = to_specs(inputs);
  std::shared_ptr<CallableModel> callable;
  std::shared_ptr<Executable> executable;
  if (kind == "native") {
    executable = model.cast<const NativeModel&>().make_executable();
  } else if (kind == "items") {
    executable = std::make_shared<ItemsModel>(model);
  } else {
    callable = std::make_shared<CallableModel>(model, std::exchange(options.inputs, {}));
    executable = callable;
  }
  return std::make_shared<EngineObject>(with_faults(executable, std::move(faults)), callable,
                                        std::move(options));
}

py::dict distribution(const EngineStats::Distribution& from) {
  py::dict into;
  into["count"] = from.count;
  into["mean"] = from.mean;
  into["p50"] = from.p50;
  into["p95"] = from.p95;
  into["p99"] = from.p99;
  return into;
}

py::dict stats(EngineObject& self) {
  const EngineStats from = self.engine().stats();
  py::dict requests;
  for (size_t i = 0; i < kOutcomes; ++i) {
    requests[py::str(std::string(outcome_name(static_cast<Outcome>(i))))] = from.requests[i];
  }
  py::dict batches;
  for (size_t i = 0; i < kReleaseReasons; ++i) {
    batches[py::str(std::string(release_reason_name(static_cast<ReleaseReason>(i))))] =
        from.batches[i];
  }
  py::dict into;
  into["recording"] = from.recording;
  into["requests"] = requests;
  into["batches"] = batches;
  into["latency"] = distribution(from.latency);
  into["queue"] = distribution(from.queue);
  into["compute"] = distribution(from.compute);
  into["batch_size"] = distribution(from.batch_size);
  into["busy_seconds"] = from.busy_seconds;
  into["wasted_seconds"] = from.wasted_seconds;
  into["telemetry_seconds"] = from.telemetry_seconds;
  into["queue_depth"] = from.queue_depth;
  into["in_flight"] = from.in_flight;
  return into;
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
      .def(py::init(&make_engine), py::arg("model"), py::arg("kind"), py::arg("name"),
           py::arg("version"), py::arg("max_batch_size"), py::arg("max_queue_delay"),
           py::arg("max_queue_size"), py::arg("default_timeout"), py::arg("inputs"),
           py::arg("latency_objective"), py::arg("native_histograms"),
           py::arg("registry").none(true), py::arg("faults").none(true) = py::none())
      .def("stats", &stats)
      .def("drain", &drain, py::arg("timeout"))
      .def("close", &close, py::arg("grace"))
      .def_property_readonly("closed", [](EngineObject& self) { return self.engine().closed(); })
      .def_property_readonly("ready", [](EngineObject& self) { return self.engine().ready(); })
      .def_property_readonly("name", [](EngineObject& self) { return self.engine().name(); })
      .def_property_readonly("version", [](EngineObject& self) { return self.engine().version(); })
      .def_property_readonly("inputs",
                             [](EngineObject& self) { return to_tuples(self.engine().inputs()); });
  add_request_methods(engine);
}

}  // namespace inferometer::python
