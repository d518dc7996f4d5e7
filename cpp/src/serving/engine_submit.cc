// EngineCore, the submitting side: from a caller's arrays to a queued request.
#include <algorithm>
#include <new>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/engine_core.h"
#include "serving/race_points.h"
#include "telemetry/record/exemplar_cells.h"

namespace inferometer {
namespace {

// A model that answers within this time is worth spinning for.
constexpr double kFastModelNs = 20'000;

// Rows up to this size are copied under the lock, in less time than it takes to give it back and to
// tell others later that they are there; nobody ever finds them missing.
constexpr int64_t kCopiedUnderLock = 1024;

// What a refused caller is told while no batch has been timed yet.
constexpr double kUnknownRetryAfterSeconds = 1.0;

}  // namespace

void EngineCore::refuse_in_child() const {
  if (!forked()) return;
  throw ClosedError("engine '" + options_.name +
                    "' was made before fork() and its threads stayed in the parent: make the "
                    "engine in the child");
}

std::span<const TensorView> EngineCore::check_inputs(std::span<const NamedInput> inputs,
                                                     std::optional<InputCheck::Ordered>& several) {
  const InputCheck* const known = input_check_.load(std::memory_order_acquire);
  if (known != nullptr) return known->in_order(inputs, max_rows_, several);
  auto learned = std::make_unique<const InputCheck>(InputCheck::implied_by(inputs));
  const std::span<const TensorView> ordered = learned->in_order(inputs, max_rows_, several);
  MutexLock lock(mutex_);
  if (owned_check_) {  // another first request was faster
    return owned_check_->in_order(inputs, max_rows_, several);
  }
  owned_check_ = std::move(learned);
  input_check_.store(owned_check_.get(), std::memory_order_release);
  return ordered;
}

void EngineCore::check(std::span<const NamedInput> inputs) const {
  const InputCheck* const known = input_check_.load(std::memory_order_acquire);
  if (known != nullptr) {
    (void)known->in_order(inputs, max_rows_);
  } else {
    (void)InputCheck(InputCheck::implied_by(inputs)).in_order(inputs, max_rows_);
  }
}

double EngineCore::retry_after_seconds_locked() const {
  if (model_->request_ns() <= 0) return kUnknownRetryAfterSeconds;
  const auto before = static_cast<double>(scheduler_.size() + running_requests_);
  return 1e-9 * before * model_->request_ns() / static_cast<double>(instances_.size());
}

void EngineCore::refuse_if_not_accepting_locked() {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  if (phase != Phase::kOpen) {
    throw ClosedError("engine '" + options_.name + "' is " +
                      (phase == Phase::kClosed ? "closed" : "draining"));
  }
}

void EngineCore::refuse_if_full_locked(const Request& request) {
  const std::string refusal = scheduler_.refusal(request);
  if (refusal.empty()) return;
  if (recorder_) recorder_->record_refused(Outcome::kRejected);
  throw QueueFullError("engine '" + options_.name + "': " + refusal, retry_after_seconds_locked());
}

// Spinning for an answer pays only for a model that is faster than a wake-up, and only while fewer
// requests are in flight than there are cores: beyond that it takes the core that the model needs.
bool EngineCore::answer_comes_soon_locked() const {
  static const auto cores = static_cast<int64_t>(std::thread::hardware_concurrency());
  return model_->request_ns() > 0 && model_->request_ns() < kFastModelNs &&
         scheduler_.batching().max_queue_delay_ns == 0 &&
         scheduler_.size() + running_requests_ < cores;
}

void EngineCore::check_trace_id(std::string_view trace_id) {
  if (trace_id.empty()) return;
  try {
    inferometer::check_trace_id(trace_id);
  } catch (const Error&) {
    count_invalid();
    throw;
  }
}

std::shared_ptr<Request> EngineCore::submit(std::span<const NamedInput> inputs,
                                            const SubmitOptions& options) {
  refuse_in_child();
  std::optional<InputCheck::Ordered> several;
  std::span<const TensorView> ordered;
  try {
    ordered = check_inputs(inputs, several);
  } catch (const Error&) {
    count_invalid();
    throw;
  }
  return enqueue(ordered, nullptr, ordered.front().shape[0], options);
}

std::shared_ptr<Request> EngineCore::submit_object(std::shared_ptr<void> object,
                                                   const SubmitOptions& options) {
  refuse_in_child();
  if (input_check_.load(std::memory_order_acquire) != nullptr) {
    count_invalid();
    throw InputError("engine '" + options_.name + "': got an object, want tensors");
  }
  return enqueue({}, std::move(object), 1, options);
}

std::shared_ptr<Request> EngineCore::enqueue(std::span<const TensorView> inputs,
                                             std::shared_ptr<void> object, int64_t rows,
                                             const SubmitOptions& options) {
  check_trace_id(options.trace_id);
  auto request = std::make_shared<Request>();
  request->owner_ = this;
  request->rows_ = rows;
  for (const TensorView& view : inputs) request->bytes_ += static_cast<int64_t>(view.bytes());
  request->object_ = std::move(object);
  request->trace_id_ = options.trace_id;
  request->completions_ = options.completions;
  request->attachment_ = options.attachment;
  request->caller_waits_ = options.caller_waits && options_.caller_runs;
  request->arrival_ns_ = clock_.now_ns();

  const bool small = request->bytes_ <= kCopiedUnderLock;
  int64_t due = kNever;
  {
    MutexLock lock(mutex_);
    refuse_if_not_accepting_locked();
    try {
      scheduler_.prepare(*request, {options.priority, options.timeout_ns});
    } catch (const ConfigError&) {
      count_invalid();
      throw;
    }
    due = std::min(request->deadline_ns_, request->queue_deadline_ns_);
    refuse_if_full_locked(*request);
    if (due != kNever) deadline_watch_.ensure_started(shared_from_this());
    try {
      scheduler_.accept(request, inputs, model_);
    } catch (const std::bad_alloc&) {  // no room for its rows
      count_invalid();
      throw;
    }
    if (small) {
      request->segment_->fill(request->row_begin_, inputs);
      Ending::mark_filled(*request);
    }
    publish_queue_state_locked();
    request->soon_ = answer_comes_soon_locked();
    if (!options.flush_later && free_ > 0) {
      const int64_t now = request->arrival_ns_;
      const Scheduler::Upcoming next = scheduler_.upcoming(now, draining());
      // The caller looks itself as soon as it waits, without a wake-up.
      const bool leads = next.first != nullptr && may_lead_locked(*request, *next.model, now);
      if (leads) {
        Ending::ask_to_lead(*request);
      } else {
        call_worker_locked(next.release_ns, now);
      }
    }
  }
  if (!small) {
    race_point(RacePoint::kQueuedNotCopied);
    request->segment_->fill(request->row_begin_, inputs);
    Ending::mark_filled(*request);
  }
  if (due != kNever) deadline_watch_.watch(due);
  return request;
}

}  // namespace inferometer
