// EngineCore, the submitting side: from a caller's arrays to a queued request.
#include <algorithm>
#include <cstring>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/engine_core.h"
#include "telemetry/record/exemplar_cells.h"

namespace inferometer {
namespace {

// A model that answers within this time is worth spinning for.
constexpr double kFastModelNs = 20'000;

// What a refused caller is told while no batch has been timed yet.
constexpr double kUnknownRetryAfterSeconds = 1.0;

void copy_rows(const Segment& segment, int64_t row, std::span<const TensorView> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const size_t bytes = inputs[i].bytes();
    if (bytes > 0) std::memcpy(segment.row(i, row), inputs[i].data, bytes);
  }
}

}  // namespace

void EngineCore::refuse_in_child() const {
  if (!forked()) return;
  throw ClosedError("engine '" + options_.name +
                    "' was made before fork() and its threads stayed in the parent: make the "
                    "engine in the child");
}

std::vector<TensorView> EngineCore::check_inputs(std::span<const NamedInput> inputs) {
  const InputCheck* const known = input_check_.load(std::memory_order_acquire);
  if (known != nullptr) return known->in_order(inputs, max_rows_);
  auto learned = std::make_unique<const InputCheck>(InputCheck::implied_by(inputs));
  std::vector<TensorView> ordered = learned->in_order(inputs, max_rows_);
  MutexLock lock(mutex_);
  if (owned_check_) {  // another first request was faster
    return owned_check_->in_order(inputs, max_rows_);
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
  if (service_ns_per_request_ <= 0) return kUnknownRetryAfterSeconds;
  const auto waiting = static_cast<double>(queue_.size() + std::ssize(running_));
  return waiting * service_ns_per_request_ * 1e-9;
}

void EngineCore::refuse_if_not_accepting_locked() {
  const Phase phase = phase_.load(std::memory_order_relaxed);
  if (phase != Phase::kOpen) {
    throw ClosedError("engine '" + options_.name + "' is " +
                      (phase == Phase::kClosed ? "closed" : "draining"));
  }
  if (queue_.size() < options_.batching.max_queue_size) return;
  if (recorder_) recorder_->record_refused(Outcome::kRejected);
  throw QueueFullError("the queue of engine '" + options_.name + "' is full: got " +
                           std::to_string(queue_.size()) + " waiting requests, want fewer than " +
                           std::to_string(options_.batching.max_queue_size) + " (max_queue_size)",
                       retry_after_seconds_locked());
}

// True if the worker sleeps and has something to do: requests that it has not seen (it dispatches
// them or sets its timer), or a batch that needs no company any more. The caller must notify it.
bool EngineCore::claim_idle_worker_locked() {
  if (!worker_idle_ || queue_.empty()) return false;
  const bool news =
      !worker_waits_out_delay_ || queue_.rows() >= max_rows_ || queue_.signatures_differ();
  if (news) worker_idle_ = false;
  return news;
}

// Spinning for an answer pays only for a model that is faster than a wake-up, and only while fewer
// requests are in flight than there are cores: beyond that it takes the core that the model needs.
bool EngineCore::answer_comes_soon_locked() const {
  static const auto cores = static_cast<int64_t>(std::thread::hardware_concurrency());
  return service_ns_per_request_ > 0 && service_ns_per_request_ < kFastModelNs &&
         options_.batching.max_queue_delay_ns == 0 && queue_.size() + std::ssize(running_) < cores;
}

void EngineCore::wake() {
  if (forked()) return;
  MutexLock lock(mutex_);
  if (claim_idle_worker_locked()) work_arrived_.notify_one();
}

std::shared_ptr<Request> EngineCore::submit(std::span<const NamedInput> inputs,
                                            const SubmitOptions& options) {
  refuse_in_child();
  std::vector<TensorView> ordered;
  try {
    ordered = check_inputs(inputs);
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
  if (!options.trace_id.empty()) {
    try {
      const std::pair<std::string_view, std::string_view> label{"trace_id", options.trace_id};
      check_exemplar({&label, 1});
    } catch (const Error&) {
      count_invalid();
      throw;
    }
  }
  const std::optional<int64_t> timeout =
      options.timeout_ns ? options.timeout_ns : options_.batching.default_timeout_ns;
  if (timeout) deadline_watch_.ensure_started(shared_from_this());

  auto request = std::make_shared<Request>();
  request->owner_ = this;
  request->rows_ = rows;
  request->object_ = std::move(object);
  request->trace_id_ = options.trace_id;
  request->completions_ = options.completions;
  request->attachment_ = options.attachment;
  request->arrival_ns_ = clock_.now_ns();
  if (timeout && *timeout < kNever - request->arrival_ns_) {
    request->deadline_ns_ = request->arrival_ns_ + std::max<int64_t>(*timeout, 0);
  }

  bool wake_worker = false;
  {
    MutexLock lock(mutex_);
    refuse_if_not_accepting_locked();
    queue_.append(request, inputs);
    publish_queue_state_locked();
    wake_worker = !options.flush_later && claim_idle_worker_locked();
    request->soon_ = answer_comes_soon_locked();
  }
  copy_rows(*request->segment_, request->row_begin_, inputs);
  Ending::mark_filled(*request);
  if (wake_worker) work_arrived_.notify_one();
  if (request->deadline_ns_ != kNever) deadline_watch_.watch(request->deadline_ns_);
  return request;
}

}  // namespace inferometer
