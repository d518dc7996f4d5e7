#include "simulation_bindings.h"

#include <pybind11/stl.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "batching_options.h"
#include "gil.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "python_arrivals.h"
#include "stats_dict.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

int64_t cost_ns(const py::handle& cost, int64_t rows) {
  const OnPythonThread gil;
  const py::object got = cost(rows);
  const double seconds = PyFloat_AsDouble(got.ptr());
  const bool number = seconds != -1 || PyErr_Occurred() == nullptr;
  if (number && std::isfinite(seconds) && seconds >= 0) return seconds_to_ns(seconds);
  PyErr_Clear();
  throw ConfigError("cost of " + std::to_string(rows) + " rows: got " +
                    std::string(py::str(py::repr(got))) + ", want seconds, 0 or more");
}

std::unique_ptr<SimulationObject> make_simulation(
    const py::object& batching, const py::object& arrivals, const py::object& cost,
    int64_t instances, bool trace, std::string name, std::optional<double> latency_objective,
    std::optional<double> until, std::shared_ptr<Registry> registry, double recording,
    uint64_t seed) {
  if (instances < 1) {
    throw ConfigError("instances: got " + std::to_string(instances) + ", want 1 or more");
  }
  SimulationOptions options;
  options.name = std::move(name);
  options.batching = to_batching(batching);
  options.instances = static_cast<size_t>(instances);
  if (latency_objective) {
    options.latency_objective_ns = option_ns("latency_objective", *latency_objective);
  }
  if (until) options.until_ns = option_ns("until", *until);
  options.trace = trace;
  options.registry = registry ? std::move(registry) : Registry::create();
  options.recording_ns = option_ns("recording", recording);
  options.fault_seed = seed;
  return std::make_unique<SimulationObject>(std::make_unique<Simulation>(
      options, arrivals_from(arrivals), [held = share_object(cost.ptr())](int64_t rows) {
        return cost_ns(static_cast<PyObject*>(held.get()), rows);
      }));
}

py::dict stats(const SimulationObject& self) {
  const SimulationStats from = self.simulation().stats();
  py::dict into = to_dict(from);
  into["throughput"] = from.throughput;
  return into;
}

}  // namespace

/// Holds the simulation for a scope. Single-owner, on the stack.
class SimulationObject::Turn {
 public:
  explicit Turn(SimulationObject& object) : taken_(object.taken_) {
    if (taken_.exchange(true)) {
      throw ClosedError("simulation: got a call during another one, want one at a time");
    }
  }
  ~Turn() { taken_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& taken_;
};

void SimulationObject::advance(int64_t ns) {
  const Turn turn(*this);
  without_gil([&] { simulation_->advance(ns); });
}

void SimulationObject::run() {
  const Turn turn(*this);
  without_gil([&] { simulation_->run(); });
}

void SimulationObject::extend(const py::object& arrivals) {
  auto source = arrivals_from(arrivals);
  const Turn turn(*this);
  simulation_->extend(std::move(source));
}

py::list SimulationObject::requests() {
  const Turn turn(*this);
  py::list list;
  for (const TracedRequest& request : simulation_->trace().requests) {
    const py::object batch = request.batch == TracedRequest::kNoBatch
                                 ? py::object(py::none())
                                 : py::object(py::int_(request.batch));
    list.append(py::make_tuple(request.id, std::string(outcome_name(request.outcome)),
                               request.queue_ns, request.total_ns, batch));
  }
  return list;
}

py::list SimulationObject::batches() {
  const Turn turn(*this);
  py::list list;
  for (const TracedBatch& batch : simulation_->trace().batches) {
    list.append(py::make_tuple(batch.start_ns, batch.end_ns, batch.instance,
                               std::string(release_reason_name(batch.reason)), batch.rows,
                               batch.requests));
  }
  return list;
}

void bind_simulation(py::module_& m) {
  py::class_<SimulationObject>(
      m, "Simulation", "Batching on a virtual clock; inferometer.Simulation is its public face.")
      .def(py::init(&make_simulation), py::arg("batching"), py::arg("arrivals"), py::arg("cost"),
           py::arg("instances"), py::arg("trace"), py::arg("name"), py::arg("latency_objective"),
           py::arg("until"), py::arg("registry"), py::arg("recording"), py::arg("seed"))
      .def(
          "advance",
          [](SimulationObject& self, double seconds) {
            self.advance(option_ns("advance", seconds));
          },
          py::arg("seconds"))
      .def("run", &SimulationObject::run)
      .def("extend", &SimulationObject::extend, py::arg("arrivals"))
      .def("stats", &stats)
      .def_property_readonly("now",
                             [](const SimulationObject& self) {
                               // Divided, not multiplied by 1e-9: seconds_to_ns() of it is the same
                               // nanosecond.
                               return static_cast<double>(self.simulation().now_ns()) /
                                      kNanosPerSecond;
                             })
      .def_property_readonly(
          "registry", [](const SimulationObject& self) { return self.simulation().registry(); })
      .def_property_readonly(
          "faults", [](const SimulationObject& self) { return self.simulation().faults(); })
      .def_property_readonly("requests", &SimulationObject::requests)
      .def_property_readonly("batches", &SimulationObject::batches);
}

}  // namespace inferometer::python
