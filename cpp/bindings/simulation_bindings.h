// Binds Simulation.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "inferometer/simulation.h"

namespace inferometer::python {

/// `_core.Simulation`. Its methods are called with the GIL held and drop it while time passes.
/// Thread-safe: a second call at the same time, which may come out of the arrivals or the cost
/// themselves, throws ClosedError.
class SimulationObject {
 public:
  explicit SimulationObject(std::unique_ptr<Simulation> simulation)
      : simulation_(std::move(simulation)) {}

  /// As Simulation's.
  void advance(int64_t ns);
  void run();
  void extend(const pybind11::object& arrivals);
  [[nodiscard]] pybind11::list requests();
  [[nodiscard]] pybind11::list batches();

  /// For what may be read at any time.
  [[nodiscard]] const Simulation& simulation() const noexcept { return *simulation_; }

 private:
  class Turn;

  const std::unique_ptr<Simulation> simulation_;
  std::atomic<bool> taken_{false};
};

/// Adds `_core.Simulation`.
void bind_simulation(pybind11::module_& m);

}  // namespace inferometer::python
