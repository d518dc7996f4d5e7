// EngineCore on callers' threads: a lone call, leading a batch, an event loop's turn.
#include <cxxabi.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/engine_core.h"
#include "serving/engine_frame.h"
#include "serving/lone_batch.h"

namespace inferometer {
namespace {

// A model that needs the interpreter runs on its caller's thread once that thread has come this
// often in a row and found nothing going on. Threads that take turns on the GIL never meet in the
// queue, yet batching serves them better: with 16 threads and a numpy model 98,000 calls a second
// against 34,000 where every caller ran it that found it idle.
constexpr int kCalmCalls = 4;

const void* this_thread() noexcept {
  thread_local const char mark = 0;
  return &mark;
}

}  // namespace

bool EngineCore::may_run_here_locked(int64_t rows, const SubmitOptions& options,
                                     BatchDecision& decision) {
  if (phase_.load(std::memory_order_relaxed) != Phase::kOpen || !options_.caller_runs ||
      !callers_may_run(*model_)) {
    return false;
  }
  const bool quiet = scheduler_.empty() && nothing_runs_locked();
  if (model_->executable(0).needs_interpreter()) {
    calm_ = quiet && calm_thread_ == this_thread() ? std::min(calm_ + 1, kCalmCalls) : 0;
    calm_thread_ = this_thread();
    if (calm_ < kCalmCalls) return false;
  } else if (!scheduler_.empty() || free_ == 0) {
    return false;
  }
  const auto& timeout =
      options.timeout_ns ? options.timeout_ns : scheduler_.batching().default_timeout_ns;
  if (timeout && !leaves_room(*model_, *timeout)) return false;
  decision = scheduler_.decide_lone(rows);
  return decision.dispatch_requests > 0;
}

bool EngineCore::may_lead_locked(const Request& request, const LoadedModel& model,
                                 int64_t now_ns) const {
  if (!request.caller_waits_ || !callers_may_lead(model)) return false;
  const int64_t deadline = request.deadline_ns_;
  if (deadline != kNever && !leaves_room(model, deadline - now_ns)) return false;
  // A caller that is busy with a batch on another instance hears nothing before that has ended.
  return std::ranges::none_of(
      instances_, [&](const Instance& instance) { return instance.led_by == &request; });
}

EndedCall EngineCore::try_run_here(std::span<const NamedInput> inputs, AnswerSink& answer,
                                   const SubmitOptions& options) {
  refuse_in_child();
  const InputCheck* const check = input_check_.load(std::memory_order_acquire);
  // A first request fixes the inputs, and a priority has to be checked: that is submit()'s
  // business.
  if (!options_.caller_runs || check == nullptr || options.priority != 0 ||
      queue_depth_.load(std::memory_order_relaxed) > 0) {
    return {};
  }
  std::optional<InputCheck::Ordered> several;
  std::span<const TensorView> ordered;
  try {
    ordered = check->in_order(inputs, max_rows_.load(std::memory_order_relaxed), several);
  } catch (const Error&) {
    count_invalid();
    throw;
  }
  check_trace_id(options.trace_id);

  EndedCall call;
  BatchDecision decision;
  LoadedModel* model = nullptr;
  size_t instance = 0;
  const int64_t rows = ordered.front().shape[0];
  const int64_t arrival = clock_.ticks();
  {
    MutexLock lock(mutex_);
    if (!may_run_here_locked(rows, options, decision)) return {};
    instance = claim_instance_locked();
    instances_[instance].lone_arrival.store(arrival, std::memory_order_relaxed);
    instances_[instance].lone_model = model = model_.get();
    ++running_requests_;
    publish_queue_state_locked();
  }
  const Frame frame(*this);
  call.ran = true;
  call.timing.batch_size = rows;
  call.timing.reason = decision.reason;
  std::optional<int64_t> computed_at;
  int64_t copied_in_ns = 0;
  int64_t copied_out_ns = 0;
  Executable& executable = model->executable(instance);
  try {
    std::shared_ptr<Segment> copy;
    if (executable.keeps_inputs()) {
      copy = std::make_shared<Segment>(*pool_, ordered, rows);
      copy->fill(0, ordered);
    }
    LoneBatch batch(ordered, check->specs(), answer, clock_, std::move(copy));
    executable.run(batch);
    check_all_outputs(batch.outputs(), rows, model->outputs());
    if (model->outputs().empty()) model->learn_outputs(specs_implied_by(batch.outputs()));
    computed_at = batch.computed_at();
    copied_in_ns = batch.copied_in_ns();
    copied_out_ns = batch.copied_out_ns();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    call.error = std::current_exception();
    call.outcome = Outcome::kFailure;
  }
  const int64_t end = clock_.ticks();
  const int64_t total_ns = std::max<int64_t>(clock_.between_ns(arrival, end), 0);
  call.timing.total_ns = total_ns;
  call.timing.compute_ns = total_ns - copied_in_ns;
  const std::exception_ptr failed = call.error;
  // close() may have ended it, and has recorded that.
  const bool mine = instances_[instance].lone_arrival.exchange(kNever) != kNever;
  if (!mine) {
    call.outcome = Outcome::kShutdown;
    call.error = nullptr;
  } else if (recorder_) {
    ExecutedBatch executed;
    executed.input_ns = copied_in_ns;
    executed.output_ns = clock_.between_ns(computed_at.value_or(end), end) + copied_out_ns;
    if (options_.batching.padding) {
      for (const TensorView& input : ordered) executed.elements += input.shape.elements();
    }
    record_lone(instance, call, options.trace_id, executed);
  }
  const bool lost = failed && note_device_fault(failed, executable);
  std::shared_ptr<Request> leader;
  {
    MutexLock lock(mutex_);
    learn_cost_locked(model, total_ns, 1);
    release_instance_locked(instance, 1);
    if (lost && model == model_.get()) lose_instance_locked(instance);
    leader = hand_over_locked();
    if (phase_.load() != Phase::kOpen) settled_.notify_all();
  }
  if (leader) Ending::wake_leader(*leader);
  if (any_retired_.load()) drop_retired_models();
  return call;
}

void EngineCore::record_lone(size_t instance, const EndedCall& call, std::string_view trace_id,
                             ExecutedBatch& executed) {
  const OwnTime::Stretch recording = recorder_->begin_recording(instance, 1);
  recorder_->record_request(instance, call.outcome, call.timing, trace_id);
  executed.reason = call.timing.reason;
  executed.rows = call.timing.batch_size;
  executed.compute_ns = call.timing.compute_ns;
  if (call.outcome == Outcome::kSuccess) {
    executed.succeeded = 1;
    executed.inferences = call.timing.batch_size;
  }
  recorder_->record_batch(instance, executed);
  recorder_->end_recording(instance, recording);
}

// Exactly one batch: a caller that went on leading would hold up its own answer, and whoever waits
// for the GIL in between would hold up everybody (measured: 16 to 31 ms).
void EngineCore::lead(const Request& caller) {
  if (forked()) return;
  for (bool ran = false; !ran;) {
    Work work;
    {
      MutexLock lock(mutex_);
      work = take_work_locked(Runner::kCaller);
      if (!work.any()) {  // any more, or the model may block by now
        call_worker_locked(work.look_again_ns, clock_.now_ns());
        return;
      }
      if (work.batch) instances_[work.instance].led_by = &caller;
    }
    const Frame frame(*this);
    CompletionBatch completions;
    ran = work.batch != nullptr;
    perform(work, completions, Runner::kCaller);
  }
}

FlushStatus EngineCore::flush(const CompletionQueue& here,
                              std::vector<std::shared_ptr<Request>>& ended, int64_t budget_ns) {
  if (forked()) return FlushStatus::kDone;
  int64_t stop_at = kNever;
  for (;;) {
    Work work;
    {
      MutexLock lock(mutex_);
      const int64_t now = clock_.now_ns();
      if (stop_at == kNever) stop_at = budget_ns < kNever - now ? now + budget_ns : kNever - 1;
      if (scheduler_.empty() || free_ == 0) return FlushStatus::kDone;
      const Scheduler::Upcoming next = scheduler_.upcoming(now, draining());
      // On a loop's thread a batch saves two wake-ups (50 us) and holds the loop up for its time.
      if (next.first == nullptr || !loops_may_run(*next.model)) {
        call_worker_locked(next.release_ns, now);
        return FlushStatus::kDone;
      }
      if (now >= stop_at) return FlushStatus::kMoreToDo;
      work = take_work_locked(Runner::kLoop);
    }
    const Frame frame(*this);
    CompletionBatch completions(&here, &ended);
    perform(work, completions, Runner::kLoop);
  }
}

void EngineCore::leave_to_worker() noexcept {
  if (forked()) return;
  MutexLock lock(mutex_);
  const int64_t now = clock_.now_ns();
  call_worker_locked(scheduler_.upcoming(now, draining()).release_ns, now);
}

}  // namespace inferometer
