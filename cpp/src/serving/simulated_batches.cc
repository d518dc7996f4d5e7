// SimulatedWorld, batches: started, held by faults, run and ended.
#include <algorithm>
#include <string>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/simulated_request.h"
#include "serving/simulated_world.h"

namespace inferometer {

void SimulatedWorld::start(Scheduler::Next batch) {
  const size_t instance = free_.top();
  free_.pop();
  Running& running = instances_[instance];
  running.start_ns = now_ns();
  running.reason = batch.reason;
  running.requests = std::move(batch.requests);
  running.rows = 0;
  for (const auto& request : running.requests) running.rows += request->rows_;
  running.faults = faults_->quiet() ? BatchFaults{} : faults_->begin_batch(running.requests.size());
  for (const auto& request : running.requests) {
    request->timing_.queue_ns = now_ns() - request->arrival_ns_;
    request->timing_.batch_size = running.rows;
    request->timing_.reason = running.reason;
    Ending::start(*request);
  }
  running_requests_ += std::ssize(running.requests);
  if (options_.trace) {
    running.traced = trace_.batches.size();
    TracedBatch traced{running.start_ns, kNever, instance, running.reason, running.rows, {}};
    for (const auto& each : running.requests) {
      auto& request = static_cast<SimulatedRequest&>(*each);
      request.batch = running.traced;
      traced.requests.push_back(request.id);
    }
    trace_.batches.push_back(std::move(traced));
  }
  if (running.faults.stalled || running.faults.delay_ns > 0) {
    held_.push_back(instance);
  } else {
    run_model(instance);
  }
}

// Without the model where a fault fails the whole batch, as FaultyModel does.
void SimulatedWorld::run_model(size_t instance) {
  const Running& batch = instances_[instance];
  const int64_t cost_ns = batch.faults.error_ratio ? 0 : cost_of(batch.rows);
  const int64_t end_ns = cost_ns < kNever - now_ns() ? now_ns() + cost_ns : kNever - 1;
  ends_.emplace(end_ns, instance);
  if (options_.trace) trace_.batches[batch.traced].end_ns = end_ns;
}

void SimulatedWorld::let_go_of_held() {
  std::erase_if(held_, [this](size_t instance) {
    const Running& batch = instances_[instance];
    if (faults_->held_until_ns(batch.faults, batch.start_ns) > now_ns()) return false;
    run_model(instance);
    return true;
  });
}

void SimulatedWorld::end(size_t instance) {
  Running& batch = instances_[instance];
  const OwnTime::Stretch recording = recorder_.begin_recording(instance, batch.requests.size());
  ExecutedBatch executed;
  executed.compute_ns = now_ns() - batch.start_ns;
  int64_t gone_rows = 0;
  auto failed = batch.faults.failed.begin();
  for (size_t i = 0; i < batch.requests.size(); ++i) {
    auto& request = static_cast<SimulatedRequest&>(*batch.requests[i]);
    bool fails = batch.faults.error_ratio.has_value();
    if (failed != batch.faults.failed.end() && failed->request == i) {
      fails = true;
      ++failed;
    }
    scheduler_.forget(request);
    if (!Ending::claim(request)) {
      gone_rows += request.rows_;
      continue;
    }
    request.outcome_ = fails ? Outcome::kFailure : Outcome::kSuccess;
    request.timing_.compute_ns = executed.compute_ns;
    request.timing_.total_ns = now_ns() - request.arrival_ns_;
    recorder_.record_request(instance, request.outcome_, request.timing_);
    if (!fails) {
      ++executed.succeeded;
      executed.inferences += request.rows_;
    }
    ended(request);
  }
  record(instance, batch, executed, gone_rows);
  recorder_.end_recording(instance, recording);
  recorder_.record_telemetry(instance, options_.recording_ns * std::ssize(batch.requests));
  running_requests_ -= std::ssize(batch.requests);
  batch.requests.clear();
}

void SimulatedWorld::record(size_t instance, const Running& batch, ExecutedBatch executed,
                            int64_t gone_rows) {
  executed.reason = batch.reason;
  executed.rows = batch.rows;
  int64_t longest = 0;
  int64_t given = 0;
  for (const auto& each : batch.requests) {
    const auto& request = static_cast<const SimulatedRequest&>(*each);
    longest = std::max(longest, request.length);
    given += request.rows_ * request.length;
  }
  executed.elements = batch.rows * longest;
  executed.padding_elements = executed.elements - given;
  recorder_.record_batch(instance, executed);
  if (gone_rows == 0) return;
  const double share = static_cast<double>(gone_rows) / static_cast<double>(batch.rows);
  recorder_.record_wasted(instance,
                          static_cast<int64_t>(static_cast<double>(executed.compute_ns) * share));
}

int64_t SimulatedWorld::cost_of(int64_t rows) {
  const auto index = static_cast<size_t>(rows);
  if (index >= known_costs_.size()) known_costs_.resize(index + 1, kNever);
  int64_t& cost = known_costs_[index];
  if (cost == kNever) {
    const int64_t asked = cost_(rows);
    if (asked < 0) {
      throw ConfigError("cost of " + std::to_string(rows) + " rows: got " + std::to_string(asked) +
                        " ns, want 0 or more");
    }
    cost = asked;
  }
  return cost;
}

}  // namespace inferometer
