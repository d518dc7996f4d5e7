// The events of a simulation: arrivals, releases, ends of batches, deadlines, cancellations.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "inferometer/faults.h"
#include "inferometer/simulation.h"
#include "serving/arrival_reader.h"
#include "serving/recorder.h"
#include "serving/scheduler.h"
#include "serving/virtual_clock.h"

namespace inferometer {

/// What is behind a Simulation, and as thread-safe. What in the engine is done by workers, callers
/// and the deadline watch is done here by one loop, from one instant at which something happens to
/// the next.
class SimulatedWorld {
 public:
  SimulatedWorld(const SimulationOptions& options, std::unique_ptr<ArrivalSource> arrivals,
                 Simulation::Cost cost);
  ~SimulatedWorld();
  SimulatedWorld(const SimulatedWorld&) = delete;
  SimulatedWorld& operator=(const SimulatedWorld&) = delete;

  /// Everything up to and at `until_ns` happens; the clock then shows the last event.
  void run_until(int64_t until_ns);
  void set_clock(int64_t ns) noexcept { time_->clock.set(ns); }
  void extend(std::unique_ptr<ArrivalSource> arrivals) {
    arrivals_.extend(std::move(arrivals), now_ns());
  }

  [[nodiscard]] int64_t now_ns() const noexcept { return time_->clock.now_ns(); }
  [[nodiscard]] SimulationStats stats() const;
  [[nodiscard]] const std::shared_ptr<Registry>& registry() const noexcept {
    return options_.registry;
  }
  [[nodiscard]] const std::shared_ptr<Faults>& faults() const noexcept { return faults_; }
  [[nodiscard]] const SimulationTrace& trace() const noexcept { return trace_; }

 private:
  class SimulatedRequest;
  /// The clock and what is scheduled on it: whoever holds the faults holds both.
  struct Time {
    explicit Time(uint64_t fault_seed) : faults(fault_seed, &clock) {}
    VirtualClock clock;
    Faults faults;
  };
  struct Running {
    int64_t start_ns = 0;
    BatchFaults faults;
    size_t traced = 0;
    int64_t rows = 0;
    ReleaseReason reason = ReleaseReason::kIdle;
    std::vector<std::shared_ptr<Request>> requests;
  };
  template <typename T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<>>;

  // The kinds of events, in the order in which they happen at one instant.
  void let_go_of_held();
  void end_batches();
  void end_what_is_due();
  void let_in();
  void release();

  [[nodiscard]] int64_t next_instant();
  void let_in(const SimulatedArrival& arrival);
  void start(Scheduler::Next batch);
  void run_model(size_t instance);
  void end(size_t instance);
  void record(size_t instance, const Running& batch, ExecutedBatch executed, int64_t gone_rows);
  void end_early(Request& request, Outcome outcome);
  void ended(SimulatedRequest& request);
  [[nodiscard]] int64_t cost_of(int64_t rows);
  [[nodiscard]] int64_t tag_of(const SimulatedArrival& arrival) const noexcept;
  void publish() noexcept;
  [[nodiscard]] LiveReadings live_readings() const;

  const SimulationOptions options_;
  const std::shared_ptr<Time> time_;
  const std::shared_ptr<Faults> faults_;
  Scheduler scheduler_;
  ArrivalReader arrivals_;
  const Simulation::Cost cost_;
  std::vector<int64_t> known_costs_;  // by rows; kNever: not asked yet

  std::vector<Running> instances_;
  Earliest<size_t> free_;
  Earliest<std::pair<int64_t, size_t>> ends_;  // of running batches: when, and where
  std::vector<size_t> held_;                   // instances whose batch a fault keeps from the model
  std::map<std::pair<int64_t, uint64_t>, SimulatedRequest*> cancellations_;  // by time and id
  int64_t look_again_ns_ = kNever;  // when the delay of something that waits is over
  uint64_t next_id_ = 0;
  int64_t running_requests_ = 0;
  bool failed_ = false;
  SimulationTrace trace_;

  // Published for scrapes on other threads.
  std::atomic<int64_t> queue_depth_{0};
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int64_t> oldest_arrival_ns_{kNever};
  Recorder recorder_;
};

}  // namespace inferometer
