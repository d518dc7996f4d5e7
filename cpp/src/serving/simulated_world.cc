#include "serving/simulated_world.h"

#include <algorithm>
#include <string>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/engine_stats.h"
#include "serving/simulated_request.h"

namespace inferometer {
namespace {

SimulationOptions checked(SimulationOptions options) {
  options.batching.check();
  if (!options.registry) throw ConfigError("registry: got null, want a registry");
  if (options.name.empty()) throw ConfigError("name: got an empty name, want a name");
  if (options.version.empty()) throw ConfigError("version: got an empty version, want one");
  if (options.recording_ns < 0) {
    throw ConfigError("recording: got " + std::to_string(options.recording_ns) +
                      " ns, want 0 or more");
  }
  if (options.latency_objective_ns && *options.latency_objective_ns <= 0) {
    throw ConfigError("latency_objective: got " + std::to_string(*options.latency_objective_ns) +
                      " ns, want more than 0, or none");
  }
  return options;
}

}  // namespace

SimulatedWorld::SimulatedWorld(const SimulationOptions& options,
                               std::unique_ptr<ArrivalSource> arrivals, Simulation::Cost cost)
    : options_(checked(options)),
      time_(std::make_shared<Time>(options.fault_seed)),
      faults_(time_, &time_->faults),
      scheduler_(options_.batching, BufferPool::create(0)),
      arrivals_(std::move(arrivals), options_.batching, options_.until_ns),
      cost_(std::move(cost)),
      recorder_(options_.registry,
                {.name = options_.name,
                 .version = options_.version,
                 .latency_objective_ns = options_.latency_objective_ns,
                 .instances = options_.instances,
                 .padding = options_.batching.padding.has_value()},
                live_readings(), time_->clock) {
  instances_.resize(options_.instances);
  for (size_t i = 0; i < options_.instances; ++i) free_.push(i);
}

SimulatedWorld::~SimulatedWorld() = default;

LiveReadings SimulatedWorld::live_readings() const {
  const auto read = [](const std::atomic<int64_t>& value) {
    return static_cast<double>(value.load(std::memory_order_relaxed));
  };
  const auto limit = static_cast<double>(scheduler_.batching().max_queue_size);
  const auto nothing = [] { return 0.0; };
  return {.queue_depth = [this, read] { return read(queue_depth_); },
          .in_flight = [this, read] { return read(in_flight_); },
          .oldest_request_seconds =
              [this] {
                const int64_t oldest = oldest_arrival_ns_.load(std::memory_order_relaxed);
                if (oldest == kNever) return 0.0;
                return ns_to_seconds(std::max<int64_t>(now_ns() - oldest, 0));
              },
          .queue_buffer_bytes = nothing,
          .queue_limit = [limit] { return limit; },
          .weights_bytes = nothing,
          .activation_bytes = nothing};
}

void SimulatedWorld::run_until(int64_t until_ns) {
  if (failed_) {
    throw ClosedError("the simulation has ended with an error at " +
                      std::to_string(ns_to_seconds(now_ns())) + " s: make a new one");
  }
  failed_ = true;  // unless the end of this is reached
  for (int64_t now = next_instant(); now <= until_ns && now != kNever; now = next_instant()) {
    set_clock(now);
    let_go_of_held();
    end_batches();
    end_what_is_due();
    let_in();
    end_what_is_due();
    release();
    publish();
  }
  failed_ = false;
}

int64_t SimulatedWorld::next_instant() {
  int64_t next = std::min(arrivals_.next_ns(), scheduler_.next_due_ns());
  if (!free_.empty()) next = std::min(next, look_again_ns_);
  if (!ends_.empty()) next = std::min(next, ends_.top().first);
  if (!cancellations_.empty()) next = std::min(next, cancellations_.begin()->first.first);
  for (const size_t instance : held_) {
    // What was cleared since then goes on now.
    const Running& batch = instances_[instance];
    next = std::min(next, std::max(now_ns(), faults_->held_until_ns(batch.faults, batch.start_ns)));
  }
  return next;
}

void SimulatedWorld::end_batches() {
  while (!ends_.empty() && ends_.top().first <= now_ns()) {
    const size_t instance = ends_.top().second;
    ends_.pop();
    end(instance);
    free_.push(instance);
  }
}

void SimulatedWorld::end_what_is_due() {
  for (const auto& request : scheduler_.take_due(now_ns())) {
    end_early(*request, Outcome::kTimeout);
  }
  while (!cancellations_.empty() && cancellations_.begin()->first.first <= now_ns()) {
    SimulatedRequest& request = *cancellations_.begin()->second;
    const std::shared_ptr<Request> keep = request.shared_from_this();
    (void)scheduler_.remove(request);
    end_early(request, Outcome::kCancelled);
  }
}

void SimulatedWorld::let_in() {
  while (arrivals_.next_ns() <= now_ns()) let_in(arrivals_.take());
}

void SimulatedWorld::let_in(const SimulatedArrival& arrival) {
  static const std::shared_ptr<LoadedModel> no_model;
  const auto request = std::make_shared<SimulatedRequest>();
  request->id = next_id_++;
  request->rows_ = arrival.rows;
  request->bytes_ = arrival.bytes;
  request->arrival_ns_ = arrival.at_ns;
  request->length = std::max<int64_t>(arrival.length, 0);
  scheduler_.prepare(*request, {arrival.priority, arrival.timeout_ns});
  if (!scheduler_.refusal(*request).empty()) {
    recorder_.record_refused(Outcome::kRejected);
    if (options_.trace) trace_.requests.push_back({request->id, Outcome::kRejected});
    return;
  }
  scheduler_.accept(request, {}, no_model, tag_of(arrival));
  if (arrival.cancel_ns == kNever) return;
  request->cancel_ns = std::max(arrival.cancel_ns, arrival.at_ns);
  cancellations_.emplace(std::pair(request->cancel_ns, request->id), request.get());
}

// The reader sees to it that neither half overflows.
int64_t SimulatedWorld::tag_of(const SimulatedArrival& arrival) const noexcept {
  const bool padded = scheduler_.batching().padding.has_value();
  const int64_t of_length = padded ? scheduler_.bucket_of(std::max<int64_t>(arrival.length, 0))
                                   : arrival.length - SimulatedArrival::kNoLength;
  return (arrival.group << 32) | of_length;
}

void SimulatedWorld::release() {
  look_again_ns_ = kNever;
  while (!free_.empty() && !scheduler_.empty()) {
    Scheduler::Next next = scheduler_.next(now_ns(), false);
    if (next.requests.empty()) {
      look_again_ns_ = next.wait_until_ns;
      return;
    }
    start(std::move(next));
  }
}

void SimulatedWorld::end_early(Request& each, Outcome outcome) {
  if (!Ending::claim(each)) return;
  auto& request = static_cast<SimulatedRequest&>(each);
  Timing& timing = request.timing_;
  timing.total_ns = now_ns() - request.arrival_ns_;
  if (timing.batch_size == 0) {
    timing.queue_ns = timing.total_ns;
  } else {
    timing.compute_ns = timing.total_ns - timing.queue_ns;
    scheduler_.forget(request);
  }
  request.outcome_ = outcome;
  recorder_.record_ended_early(outcome, timing);
  ended(request);
}

void SimulatedWorld::ended(SimulatedRequest& request) {
  Ending::publish(request);
  if (request.cancel_ns != kNever) cancellations_.erase({request.cancel_ns, request.id});
  if (!options_.trace) return;
  trace_.requests.push_back({request.id, request.outcome_, request.timing_.queue_ns,
                             request.timing_.total_ns, request.batch});
}

void SimulatedWorld::publish() noexcept {
  queue_depth_.store(scheduler_.size(), std::memory_order_relaxed);
  oldest_arrival_ns_.store(scheduler_.oldest_arrival_ns(), std::memory_order_relaxed);
  in_flight_.store(running_requests_, std::memory_order_relaxed);
}

SimulationStats SimulatedWorld::stats() const {
  SimulationStats stats;
  fill_recorded(stats, recorder_.totals());
  stats.queue_depth = queue_depth_.load(std::memory_order_relaxed);
  stats.in_flight = in_flight_.load(std::memory_order_relaxed);
  const auto successes =
      static_cast<double>(stats.requests[static_cast<size_t>(Outcome::kSuccess)]);
  stats.throughput = successes / ns_to_seconds(now_ns());
  return stats;
}

}  // namespace inferometer
