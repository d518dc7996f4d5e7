#include "inferometer/simulation.h"

#include <string>
#include <utility>

#include "inferometer/errors.h"
#include "serving/simulated_world.h"

namespace inferometer {

Simulation::Simulation(const SimulationOptions& options, std::unique_ptr<ArrivalSource> arrivals,
                       Cost cost)
    : world_(std::make_unique<SimulatedWorld>(options, std::move(arrivals), std::move(cost))) {}

Simulation::~Simulation() = default;

void Simulation::advance(int64_t ns) {
  if (ns < 0) {
    throw ConfigError("advance: got " + std::to_string(ns) + " ns, want 0 or more");
  }
  const int64_t until = ns < kNever - now_ns() ? now_ns() + ns : kNever - 1;
  world_->run_until(until);
  world_->set_clock(until);
}

void Simulation::run() { world_->run_until(kNever); }

void Simulation::extend(std::unique_ptr<ArrivalSource> arrivals) {
  world_->extend(std::move(arrivals));
}

int64_t Simulation::now_ns() const noexcept { return world_->now_ns(); }
SimulationStats Simulation::stats() const { return world_->stats(); }
const std::shared_ptr<Registry>& Simulation::registry() const noexcept {
  return world_->registry();
}
const std::shared_ptr<Faults>& Simulation::faults() const noexcept { return world_->faults(); }
const SimulationTrace& Simulation::trace() const noexcept { return world_->trace(); }

}  // namespace inferometer
