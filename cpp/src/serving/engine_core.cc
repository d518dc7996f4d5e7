#include "serving/engine_core.h"

#include <algorithm>
#include <utility>

#include "base/process_generation.h"
#include "inferometer/errors.h"
#include "serving/completion_batch.h"
#include "serving/ending.h"

namespace inferometer {
namespace {

// A worker that has just answered is given this long to look up and leave, whatever the grace.
constexpr int64_t kMinGraceNs = 100'000'000;

// Buffers kept for reuse: enough for the queue's segments in steady traffic, little when idle.
constexpr size_t kMaxCachedBufferBytes = size_t{128} << 20;

int64_t checked_max_rows(const Executable& model, const Batching& batching) {
  batching.check();
  const int64_t limit = model.max_rows();
  if (limit > 0 && batching.max_batch_size > limit) {
    throw ConfigError("max_batch_size: got " + std::to_string(batching.max_batch_size) +
                      ", want at most " + std::to_string(limit) +
                      ": the model's batch dimension is fixed");
  }
  return batching.max_batch_size;
}

std::shared_ptr<Executable> required(std::shared_ptr<Executable> model) {
  if (!model) throw ConfigError("model: got null, want a model");
  return model;
}

EngineOptions checked(EngineOptions options, const Executable& model) {
  if (options.name.empty()) throw ConfigError("name: got an empty name, want a name");
  if (options.version.empty()) throw ConfigError("version: got an empty version, want one");
  if (options.latency_objective_ns && *options.latency_objective_ns <= 0) {
    throw ConfigError("latency_objective: got " + std::to_string(*options.latency_objective_ns) +
                      " ns, want more than 0, or none");
  }
  if (!model.inputs().empty()) {
    if (!options.inputs.empty()) {
      throw ConfigError("inputs: got specs for a model that knows its own, want none");
    }
    options.inputs = model.inputs();
  }
  for (const TensorSpec& spec : options.inputs) {
    if (spec.name.empty()) throw ConfigError("inputs: got an empty name, want a name");
  }
  return options;
}

}  // namespace

EngineCore::EngineCore(std::shared_ptr<Executable> model, EngineOptions options)
    : model_(required(std::move(model))),
      options_(checked(std::move(options), *model_)),
      clock_(options_.clock != nullptr ? *options_.clock : steady_clock()),
      made_ns_(clock_.now_ns()),
      process_generation_(process_generation()),
      max_rows_(checked_max_rows(*model_, options_.batching)),
      pool_(BufferPool::create(kMaxCachedBufferBytes)),
      deadline_watch_([this] { return expire(); }),
      queue_(pool_, max_rows_),
      outputs_(model_->outputs()) {
  if (!options_.inputs.empty()) {
    owned_check_ = std::make_unique<const InputCheck>(options_.inputs);
    input_check_.store(owned_check_.get(), std::memory_order_release);
  }
  if (!options_.registry) return;
  const auto read = [](const std::atomic<int64_t>& value) {
    return static_cast<double>(value.load(std::memory_order_relaxed));
  };
  recorder_ = std::make_unique<Recorder>(
      options_.registry,
      RecorderOptions{options_.name, options_.version, options_.latency_objective_ns,
                      options_.batching.max_queue_size, model_->weights_bytes(),
                      model_->activation_bytes(max_rows_),
                      model_->load_ns() + clock_.now_ns() - made_ns_, options_.native_histograms},
      LiveReadings{[this, read] { return read(queue_depth_); },
                   [this, read] { return read(in_flight_); },
                   [this] {
                     const int64_t oldest = oldest_arrival_ns_.load(std::memory_order_relaxed);
                     if (oldest == kNever) return 0.0;
                     return ns_to_seconds(std::max<int64_t>(clock_.now_ns() - oldest, 0));
                   },
                   [this] { return static_cast<double>(pool_->allocated_bytes()); }},
      clock_);
}

EngineCore::~EngineCore() = default;

void EngineCore::start() {
  MutexLock lock(mutex_);
  worker_ = std::thread([self = shared_from_this()] { self->work(); });
}

bool EngineCore::ready() const noexcept {
  return phase_.load(std::memory_order_acquire) == Phase::kOpen && !forked();
}

bool EngineCore::closed() const noexcept {
  return phase_.load(std::memory_order_acquire) == Phase::kClosed;
}

bool EngineCore::forked() const noexcept { return process_generation_ != process_generation(); }

std::vector<TensorSpec> EngineCore::inputs() const {
  const InputCheck* const check = input_check_.load(std::memory_order_acquire);
  return check != nullptr ? check->specs() : std::vector<TensorSpec>{};
}

std::vector<TensorSpec> EngineCore::outputs() const {
  refuse_in_child();  // mutex_ may have been held by a thread that stayed in the parent
  MutexLock lock(mutex_);
  return outputs_;
}

void EngineCore::publish_queue_state_locked() {
  queue_depth_.store(queue_.size(), std::memory_order_relaxed);
  oldest_arrival_ns_.store(queue_.oldest_arrival_ns(), std::memory_order_relaxed);
}

size_t EngineCore::end_early(std::span<const std::shared_ptr<Request>> requests, Outcome outcome) {
  size_t ended = 0;
  CompletionBatch completions;
  const int64_t now = clock_.now_ns();
  for (const auto& request : requests) {
    if (!Ending::claim(*request)) continue;
    ++ended;
    Timing& timing = request->timing_;
    timing.total_ns = now - request->arrival_ns_;
    if (timing.batch_size == 0) {
      timing.queue_ns = timing.total_ns;
    } else {
      timing.compute_ns = timing.total_ns - timing.queue_ns;
    }
    request->outcome_ = outcome;
    if (recorder_) recorder_->record_ended_early(outcome, timing, request->trace_id_);
    Ending::publish(*request);
    completions.add(request);
  }
  completions.deliver();
  MutexLock lock(mutex_);
  --ending_;
  if (ending_ == 0) settled_.notify_all();
  return ended;
}

bool EngineCore::cancel(Request& request, bool even_running) {
  if (request.owner_ != this || forked()) return false;
  const std::shared_ptr<Request> keep = request.shared_from_this();
  {
    MutexLock lock(mutex_);
    const bool queued = request.queued_self_ != nullptr;
    if (!queued && !even_running) return false;
    queue_.remove(request);
    ++ending_;
    publish_queue_state_locked();
  }
  return end_early({&keep, 1}, Outcome::kCancelled) == 1;
}

int64_t EngineCore::expire() {
  std::vector<std::shared_ptr<Request>> due;
  int64_t next = kNever;
  {
    MutexLock lock(mutex_);
    const int64_t now = clock_.now_ns();
    due = queue_.take_expired(now);
    next = queue_.earliest_deadline_ns();
    for (const auto& request : running_) {
      if (request->deadline_ns_ <= now) {
        due.push_back(request);
      } else {
        next = std::min(next, request->deadline_ns_);
      }
    }
    ++ending_;
    publish_queue_state_locked();
  }
  end_early(due, Outcome::kTimeout);
  return next;
}

bool EngineCore::drain(int64_t timeout_ns) {
  refuse_in_child();
  const int64_t now = steady_clock().now_ns();
  const int64_t deadline = timeout_ns > kNever - now ? kNever : now + timeout_ns;
  MutexLock lock(mutex_);
  Phase open = Phase::kOpen;
  phase_.compare_exchange_strong(open, Phase::kDraining, std::memory_order_acq_rel);
  work_arrived_.notify_one();
  while (!settled_locked()) {
    // The model itself would wait for its own end.
    if (on_worker_thread() || steady_clock().now_ns() >= deadline) return false;
    settled_.wait_until(mutex_, deadline);
  }
  return true;
}

bool EngineCore::close(int64_t grace_ns) {
  if (forked()) return true;
  std::vector<std::shared_ptr<Request>> left;
  {
    MutexLock lock(mutex_);
    phase_.store(Phase::kClosed, std::memory_order_release);
    left = queue_.take_all();
    left.insert(left.end(), running_.begin(), running_.end());
    ++ending_;
    publish_queue_state_locked();
    work_arrived_.notify_all();
    settled_.notify_all();
  }
  end_early(left, Outcome::kShutdown);
  model_->interrupt();

  std::thread worker;
  bool left_in_time = false;
  const int64_t now = steady_clock().now_ns();
  const int64_t grace = std::max(grace_ns, kMinGraceNs);
  const int64_t deadline = grace > kNever - now ? kNever : now + grace;
  {
    MutexLock lock(mutex_);
    // Not worker_'s id: an earlier close() may have let go of it. Requests that others are just
    // ending are waited for too, so that the recorder is closed behind their records.
    left_in_time = worker_left_ || on_worker_thread();
    while (!(left_in_time && ending_ == 0) && !worker_abandoned_ &&
           (running_.empty() || steady_clock().now_ns() < deadline)) {
      // A worker without a batch leaves at once: only a running model is given a limit.
      if (running_.empty()) {
        settled_.wait(mutex_);
      } else {
        settled_.wait_until(mutex_, deadline);
      }
      left_in_time = worker_left_ || on_worker_thread();
    }
    worker = std::exchange(worker_, {});
    if (worker.joinable() && !worker_left_) {
      worker.detach();
      // A later close() need not wait for it again, but for a model that closes its own engine.
      worker_abandoned_ = !on_worker_thread();
    }
  }
  if (worker.joinable()) worker.join();
  deadline_watch_.stop();
  if (recorder_) recorder_->close();
  return left_in_time;
}

}  // namespace inferometer
