// EngineCore, batches: formed under the lock, run and ended without it.
#include <cxxabi.h>

#include <tuple>
#include <utility>

#include "serving/ending.h"
#include "serving/engine_core.h"
#include "serving/engine_frame.h"
#include "serving/race_points.h"

namespace inferometer {
bool EngineCore::on_worker_thread() const noexcept { return Frame::holds(*this); }

// Due requests come alone: they must not reach the model, and the deadline watch may not have come
// yet.
EngineCore::Work EngineCore::take_work_locked(Runner runner) {
  Work work;
  if (phase_.load(std::memory_order_relaxed) == Phase::kClosed) return work;
  const int64_t now = clock_.now_ns();
  if (scheduler_.next_due_ns() <= now) {
    work.due = scheduler_.take_due(now);
    publish_queue_state_locked();
    // None, if all were put behind: then there may still be a batch.
    if (!work.due.empty()) {
      ++ending_;
      return work;
    }
  }
  if (free_ == 0) return work;  // whoever releases an instance sees to the rest
  const Scheduler::Suits suits = runner == Runner::kCaller ? &EngineCore::callers_may_lead
                                 : runner == Runner::kLoop ? &EngineCore::callers_may_run
                                                           : nullptr;
  Scheduler::Next next = scheduler_.next(now, draining(), suits);
  work.look_again_ns = next.wait_until_ns;
  if (next.requests.empty()) return work;
  work.instance = claim_instance_locked();
  work.batch =
      std::make_unique<FormedBatch>(std::move(next.requests), std::move(next.model), next.reason,
                                    pool_, clock_, scheduler_.batching().padding);
  FormedBatch& batch = *work.batch;
  instances_[work.instance].running = &batch;
  running_requests_ += std::ssize(batch.taken());
  for (const auto& request : batch.taken()) {
    request->timing_.queue_ns = now - request->arrival_ns_;
    request->timing_.batch_size = batch.rows();
    request->timing_.reason = next.reason;
    Ending::start(*request);
  }
  publish_queue_state_locked();
  if (free_ > 0 && !scheduler_.empty()) {
    call_worker_locked(scheduler_.upcoming(now, draining()).release_ns, now);
  }
  return work;
}

size_t EngineCore::claim_instance_locked() {
  size_t instance = 0;
  while (instances_[instance].busy || instances_[instance].resting) ++instance;
  instances_[instance].busy = true;
  --free_;
  return instance;
}

// It may be gone by now, if it was swapped out meanwhile.
void EngineCore::learn_cost_locked(const LoadedModel* model, int64_t batch_ns, int64_t requests) {
  if (model == model_.get()) {
    model_->learn_cost(batch_ns, requests);
    return;
  }
  for (const auto& retired : retired_) {
    if (model == retired.get()) retired->learn_cost(batch_ns, requests);
  }
}

void EngineCore::release_instance_locked(size_t instance, int64_t requests) {
  instances_[instance].busy = false;
  instances_[instance].running = nullptr;
  instances_[instance].lone_model = nullptr;
  instances_[instance].led_by = nullptr;
  ++free_;
  running_requests_ -= requests;
  publish_queue_state_locked();
}

void EngineCore::perform(Work& work, CompletionBatch& completions, Runner runner) {
  if (!work.due.empty()) end_early(work.due, Outcome::kTimeout);
  if (!work.batch) return;
  race_point(RacePoint::kTaken);
  run(*work.batch, work.instance, completions, runner);
  completions.deliver();
  ended_some();
}

void EngineCore::run(FormedBatch& batch, size_t instance, CompletionBatch& completions,
                     Runner runner) {
  std::exception_ptr error;
  BatchTimes times;
  const int64_t taken = clock_.now_ns();
  // Read when gather() throws, which the analyzer does not see.
  int64_t start = taken;  // NOLINT(clang-analyzer-deadcode.DeadStores)
  Executable& executable = batch.model().executable(instance);
  try {
    const InputCheck* const check = input_check_.load(std::memory_order_acquire);
    batch.gather(check != nullptr ? check->specs() : std::span<const TensorSpec>());
    if (batch.gathered()) start = clock_.now_ns();
    executable.run(batch);
    batch.check_outputs(batch.model().outputs());
    if (batch.model().outputs().empty() && !batch.opaque()) {
      batch.model().learn_outputs(specs_implied_by(batch.output_shapes()));
    }
    batch.trim_outputs();
  } catch (const abi::__forced_unwind&) {
    abandon(batch, instance);
    throw;  // the thread is being ended (a finalising interpreter does that): not an error of ours
  } catch (...) {
    error = std::current_exception();
  }
  times.end_ns = clock_.now_ns();
  times.input_ns = start - taken + batch.copied_in_ns();
  times.compute_ns = times.end_ns - start - batch.copied_in_ns();
  times.output_ns =
      times.end_ns - batch.computed_at_ns().value_or(times.end_ns) + batch.copied_out_ns();
  finish(batch, instance, error, times, completions, runner);
}

// The instance goes with the thread: nobody knows in what state the model was left.
void EngineCore::abandon(FormedBatch& batch, size_t instance) {
  {
    MutexLock lock(mutex_);
    for (const auto& request : batch.taken()) scheduler_.forget(*request);
    instances_[instance].running = nullptr;
    ++ending_;
  }
  end_early(batch.taken(), Outcome::kShutdown);
}

// Ends every request of the batch that is still there. Order: outcomes, then metrics (whoever sees
// the answer sees the metrics that count it), then the instance is released and the next leader
// asked, and only then are those woken that got an answer: waking one takes 4 us, in which the next
// batch can run.
void EngineCore::finish(FormedBatch& batch, size_t instance, const std::exception_ptr& error,
                        const BatchTimes& times, CompletionBatch& completions, Runner runner) {
  const auto& requests = batch.taken();
  std::vector<bool> mine(requests.size());
  int64_t row = 0;
  int64_t gone_rows = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    Request& request = *requests[i];
    mine[i] = Ending::claim(request);
    if (mine[i]) {
      // What the model failed this one with says more than what became of the batch.
      request.error_ = batch.error_of(i) ? batch.error_of(i) : error;
      request.outcome_ = request.error_ ? Outcome::kFailure : Outcome::kSuccess;
      request.timing_.compute_ns = times.compute_ns;
      request.timing_.total_ns = times.end_ns - request.arrival_ns_;
      if (!request.error_) {
        std::tie(request.output_, request.output_row_) = batch.answer_of(i, row);
        if (batch.opaque()) request.result_object_ = batch.result_object(i);
      }
    } else {
      gone_rows += request.rows_;
    }
    row += request.rows_;
    request.segment_.reset();  // a handle that is kept keeps the answer, not the rows
  }

  if (recorder_) record(batch, instance, mine, times, gone_rows);
  const bool lost = error && note_device_fault(error, batch.model().executable(instance));

  const LoadedModel* const ran = &batch.model();  // to compare only
  // Before the lock: swap() keeps a model that is held, and leaves it to whoever lets go last.
  batch.let_go_of_model();
  std::shared_ptr<Request> leader;
  {
    MutexLock lock(mutex_);
    for (const auto& request : requests) scheduler_.forget(*request);
    ++ending_;
    learn_cost_locked(ran, times.input_ns + times.compute_ns, std::ssize(requests));
    release_instance_locked(instance, std::ssize(requests));
    if (lost && ran == model_.get()) lose_instance_locked(instance);
    // A worker and a loop look again by themselves.
    if (runner == Runner::kCaller) leader = hand_over_locked();
  }
  race_point(RacePoint::kLeaderChosen);
  if (leader) Ending::wake_leader(*leader);
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!mine[i]) continue;
    Ending::publish(*requests[i]);
    completions.add(requests[i]);
  }
}

void EngineCore::record(const FormedBatch& batch, size_t instance, const std::vector<bool>& mine,
                        const BatchTimes& times, int64_t gone_rows) {
  const auto& requests = batch.taken();
  const OwnTime::Stretch recording = recorder_->begin_recording(instance, requests.size());
  ExecutedBatch executed;
  executed.reason = batch.reason();
  executed.rows = batch.rows();
  executed.input_ns = times.input_ns;
  executed.compute_ns = times.compute_ns;
  executed.output_ns = times.output_ns;
  executed.elements = batch.elements();
  executed.padding_elements = batch.padding_elements();
  for (size_t i = 0; i < requests.size(); ++i) {
    if (!mine[i]) continue;
    const Outcome outcome = requests[i]->outcome_;
    recorder_->record_request(instance, outcome, requests[i]->timing_, requests[i]->trace_id_);
    if (outcome != Outcome::kSuccess) continue;
    ++executed.succeeded;
    executed.inferences += requests[i]->rows_;
  }
  recorder_->record_batch(instance, executed);
  if (gone_rows > 0) {
    recorder_->record_wasted(instance, static_cast<int64_t>(static_cast<double>(times.compute_ns) *
                                                            static_cast<double>(gone_rows) /
                                                            static_cast<double>(batch.rows())));
  }
  recorder_->end_recording(instance, recording);
}

std::shared_ptr<Request> EngineCore::hand_over_locked() {
  if (phase_.load(std::memory_order_relaxed) == Phase::kClosed || free_ == 0) return nullptr;
  if (scheduler_.empty()) return nullptr;
  const int64_t now = clock_.now_ns();
  const Scheduler::Upcoming next = scheduler_.upcoming(now, draining());
  if (next.first != nullptr && may_lead_locked(*next.first, *next.model, now)) {
    // Under the lock: cancel() must find it asked, to ask another one.
    Ending::ask_to_lead(*next.first);
    return next.first->shared_from_this();
  }
  call_worker_locked(next.release_ns, now);
  return nullptr;
}

}  // namespace inferometer
