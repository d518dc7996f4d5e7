// What batching does to requests, worked out on a clock of its own: the engine without threads,
// models and waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "inferometer/batching.h"
#include "inferometer/engine.h"
#include "inferometer/faults.h"
#include "inferometer/request.h"

namespace inferometer {

class Registry;
class SimulatedWorld;

/// A request as its caller makes it. Time begins at 0. A plain value.
struct SimulatedArrival {
  static constexpr int64_t kNoLength = -1;

  int64_t at_ns = 0;
  int64_t rows = 1;
  /// As SubmitOptions::priority.
  int64_t priority = 0;
  /// Stands for the inputs' dtypes and shapes: requests of one group can share a batch.
  int64_t group = 0;
  /// As SubmitOptions::timeout_ns.
  std::optional<int64_t> timeout_ns = std::nullopt;
  /// When its caller cancels it.
  int64_t cancel_ns = kNever;
  int64_t bytes = 0;
  /// Along the padded axis. Without padding requests of different lengths differ in shape.
  int64_t length = kNoLength;
};

/// Where a simulation's requests come from. Single-owner.
class ArrivalSource {
 public:
  virtual ~ArrivalSource() = default;
  /// Writes the next arrivals to the beginning of `into`, as many as it likes, and says how many.
  /// 0: there are no more.
  virtual size_t read(std::span<SimulatedArrival> into) = 0;
};

struct SimulationOptions {
  std::string name = "simulated";
  std::string version = "1";
  Batching batching;
  size_t instances = 1;
  std::optional<int64_t> latency_objective_ns;
  /// Nothing arrives from then on.
  int64_t until_ns = kNever;
  /// Keeps a record of every request and batch: memory grows with their number.
  bool trace = false;
  /// What recording is to cost for each request: shown as telemetry time, it holds nobody up.
  int64_t recording_ns = 0;
  /// Of the draws of faults().
  uint64_t fault_seed = 0;
  /// Where to record; not null.
  std::shared_ptr<Registry> registry;
};

/// A request that has ended. `batch` is an index, also if the request left the batch before its
/// end.
struct TracedRequest {
  static constexpr size_t kNoBatch = std::numeric_limits<size_t>::max();

  uint64_t id = 0;  // arrivals are counted from 0
  Outcome outcome = Outcome::kSuccess;
  int64_t queue_ns = 0;
  int64_t total_ns = 0;
  size_t batch = kNoBatch;
};

/// A batch that was released; it may still run. `end_ns` is kNever while a fault holds it.
struct TracedBatch {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  size_t instance = 0;
  ReleaseReason reason = ReleaseReason::kIdle;
  int64_t rows = 0;
  std::vector<uint64_t> requests;
};

struct SimulationTrace {
  std::vector<TracedRequest> requests;  // in the order of their ends
  std::vector<TracedBatch> batches;     // in the order of their release
};

struct SimulationStats : EngineStats {
  /// Successful requests a second of simulated time; NaN at its start.
  double throughput = 0;
};

/// Requests, a queue and instances, driven from event to event by the engine's own scheduler and
/// recorder. What happens in which order at one nanosecond: docs/batching.md. Memory is bounded by
/// what waits and runs. An error of the arrivals or the cost ends the simulation: what was recorded
/// stays, advance() and run() throw ClosedError.
///
/// Single-owner, except for now_ns(), stats() and the registry: they may be read at any time.
class Simulation {
 public:
  /// ns that a batch of so many rows takes, 0 or more; asked once for each number of rows.
  using Cost = std::function<int64_t(int64_t rows)>;

  /// Throws ConfigError for wrong options.
  Simulation(const SimulationOptions& options, std::unique_ptr<ArrivalSource> arrivals, Cost cost);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Everything of the next `ns` happens, that of the last nanosecond too. Throws ConfigError for
  /// a negative `ns`, arrivals out of order or range, and a negative cost.
  void advance(int64_t ns);
  /// Until nothing arrives any more, waits or runs; what a stall without an end holds stays where
  /// it is. Throws as advance().
  void run();
  /// More arrivals, after those that it has: none before now_ns().
  void extend(std::unique_ptr<ArrivalSource> arrivals);

  [[nodiscard]] int64_t now_ns() const noexcept;
  [[nodiscard]] SimulationStats stats() const;
  [[nodiscard]] const std::shared_ptr<Registry>& registry() const noexcept;
  /// Faults for its batches, on its clock; it may outlive the simulation. Thread-safe.
  [[nodiscard]] const std::shared_ptr<Faults>& faults() const noexcept;
  /// Empty unless it was asked for.
  [[nodiscard]] const SimulationTrace& trace() const noexcept;

 private:
  std::unique_ptr<SimulatedWorld> world_;
};

}  // namespace inferometer
