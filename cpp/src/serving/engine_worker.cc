// EngineCore, the worker: forms batches, runs them, ends their requests.
#include <cxxabi.h>

#include <utility>

#include "inferometer/errors.h"
#include "serving/batch_policy.h"
#include "serving/completion_batch.h"
#include "serving/ending.h"
#include "serving/engine_core.h"

namespace inferometer {
namespace {

// Weight of the newest batch in the moving average of service time.
constexpr double kServiceWeight = 0.2;

thread_local const EngineCore* running_here = nullptr;

}  // namespace

bool EngineCore::on_worker_thread() const noexcept { return running_here == this; }

void EngineCore::work() {
  running_here = this;
  MutexLock lock(mutex_);
  for (;;) {
    std::vector<std::shared_ptr<Request>> done;
    std::unique_ptr<FormedBatch> batch = next_batch_locked(done);
    if (!batch && done.empty()) break;
    lock.unlock();
    if (batch) {
      run(*batch);
      lock.lock();
      done = std::exchange(running_, {});
      if (settled_locked()) settled_.notify_all();
      lock.unlock();
    } else {
      end_early(done, Outcome::kTimeout);
    }
    // Without the lock: what requests hold may be Python's, whose lock must not be waited for under
    // ours.
    done.clear();
    batch.reset();
    lock.lock();
  }
  worker_left_ = true;
  settled_.notify_all();
}

// Sleeps until the policy releases a batch. Null: there are `overdue` requests to end first (the
// deadline watch may not have come yet, but they must not reach the model), or the engine is
// closed.
std::unique_ptr<FormedBatch> EngineCore::next_batch_locked(
    std::vector<std::shared_ptr<Request>>& overdue) {
  for (;;) {
    const Phase phase = phase_.load(std::memory_order_relaxed);
    if (phase == Phase::kClosed) return nullptr;
    const int64_t now = clock_.now_ns();
    overdue = queue_.take_expired(now);
    if (!overdue.empty()) {
      ++ending_;
      publish_queue_state_locked();
      return nullptr;
    }
    const BatchDecision decision = decide_batch(queue_.candidate(max_rows_), now, options_.batching,
                                                /*instance_free=*/true, phase == Phase::kDraining);
    if (decision.dispatch_requests > 0) {
      running_ = queue_.take(decision.dispatch_requests);
      publish_queue_state_locked();
      in_flight_.store(std::ssize(running_), std::memory_order_relaxed);
      auto batch = std::make_unique<FormedBatch>(running_, decision.reason, pool_, clock_);
      for (const auto& request : running_) {
        request->timing_.queue_ns = now - request->arrival_ns_;
        request->timing_.batch_size = batch->rows();
        request->timing_.reason = decision.reason;
        Ending::start(*request);
      }
      return batch;
    }
    worker_idle_ = true;
    if (decision.wait_until_ns == kNever) {
      worker_waits_out_delay_ = false;
      work_arrived_.wait(mutex_);
    } else {
      worker_waits_out_delay_ = true;
      work_arrived_.wait_until(mutex_, decision.wait_until_ns);
    }
    worker_idle_ = false;
  }
}

void EngineCore::run(FormedBatch& batch) {
  std::exception_ptr error;
  BatchTimes times;
  const int64_t taken = clock_.now_ns();
  // Read when gather() throws, which the analyzer does not see.
  int64_t start = taken;  // NOLINT(clang-analyzer-deadcode.DeadStores)
  try {
    const InputCheck* const check = input_check_.load(std::memory_order_acquire);
    batch.gather(check != nullptr ? check->specs() : std::span<const TensorSpec>());
    start = clock_.now_ns();
    model_->run(batch);
    batch.check_outputs(expected_outputs());
    learn_outputs(batch);
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread is being ended (a finalising interpreter does that): not an error of ours
  } catch (...) {
    error = std::current_exception();
  }
  times.end_ns = clock_.now_ns();
  if (batch.gathered()) times.input_ns = start - taken;
  times.compute_ns = times.end_ns - start;
  times.output_ns = times.end_ns - batch.computed_at_ns().value_or(times.end_ns);
  finish(batch, error, times);
}

// Ends every request of the batch that is still there. Order: outcomes, then metrics, then waking:
// whoever sees the answer sees the metrics that count it.
void EngineCore::finish(FormedBatch& batch, const std::exception_ptr& error,
                        const BatchTimes& times) {
  const auto& requests = batch.taken();
  std::vector<bool> mine(requests.size());
  int64_t row = 0;
  int64_t gone_rows = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    Request& request = *requests[i];
    request.segment_.reset();  // a handle that is kept keeps the answer, not the rows
    mine[i] = Ending::claim(request);
    if (mine[i]) {
      // What the model failed this one with says more than what became of the batch.
      request.error_ = batch.error_of(i) ? batch.error_of(i) : error;
      request.outcome_ = request.error_ ? Outcome::kFailure : Outcome::kSuccess;
      request.timing_.compute_ns = times.compute_ns;
      request.timing_.total_ns = times.end_ns - request.arrival_ns_;
      if (!request.error_) {
        request.output_ = batch.output();
        request.output_row_ = row;
        if (batch.opaque()) request.result_object_ = batch.result_object(i);
      }
    } else {
      gone_rows += request.rows_;
    }
    row += request.rows_;
  }

  if (recorder_) record(batch, mine, times, gone_rows);

  in_flight_.store(0, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    const double per_request =
        static_cast<double>(times.compute_ns) / static_cast<double>(requests.size());
    service_ns_per_request_ =
        service_ns_per_request_ == 0
            ? per_request
            : service_ns_per_request_ + kServiceWeight * (per_request - service_ns_per_request_);
  }
  CompletionBatch completions;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!mine[i]) continue;
    Ending::publish(*requests[i]);
    completions.add(requests[i]);
  }
  completions.deliver();
}

void EngineCore::record(const FormedBatch& batch, const std::vector<bool>& mine,
                        const BatchTimes& times, int64_t gone_rows) {
  const auto& requests = batch.taken();
  const OwnTime::Stretch recording = recorder_->begin_recording(requests.size());
  ExecutedBatch executed;
  executed.reason = batch.reason();
  executed.rows = batch.rows();
  executed.input_ns = times.input_ns;
  executed.compute_ns = times.compute_ns;
  executed.output_ns = times.output_ns;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!mine[i]) continue;
    const Outcome outcome = requests[i]->outcome_;
    recorder_->record_request(outcome, requests[i]->timing_, requests[i]->trace_id_);
    if (outcome != Outcome::kSuccess) continue;
    ++executed.succeeded;
    executed.inferences += requests[i]->rows_;
  }
  recorder_->record_batch(executed);
  if (gone_rows > 0) {
    recorder_->record_wasted(static_cast<int64_t>(static_cast<double>(times.compute_ns) *
                                                  static_cast<double>(gone_rows) /
                                                  static_cast<double>(batch.rows())));
  }
  recorder_->end_recording(recording);
}

std::vector<TensorSpec> EngineCore::expected_outputs() {
  MutexLock lock(mutex_);
  return outputs_;
}

void EngineCore::learn_outputs(const FormedBatch& batch) {
  MutexLock lock(mutex_);
  if (!outputs_.empty()) return;
  const auto& outputs = batch.output()->outputs;
  std::vector<TensorSpec> learned;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Shape shape = outputs[i].shape;
    shape.set(0, Shape::kFree);
    learned.push_back({std::to_string(i), outputs[i].dtype, shape});
  }
  outputs_ = std::move(learned);
}

}  // namespace inferometer
