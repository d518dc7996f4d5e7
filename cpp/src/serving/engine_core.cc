#include "serving/engine_core.h"

#include <algorithm>
#include <utility>

#include "base/process_generation.h"
#include "inferometer/errors.h"
#include "serving/completion_batch.h"
#include "serving/ending.h"
#include "serving/warm_up.h"

namespace inferometer {
namespace {

// Buffers kept for reuse: enough for the queue's segments in steady traffic, little when idle.
constexpr size_t kMaxCachedBufferBytes = size_t{128} << 20;

EngineOptions checked(EngineOptions options,
                      const std::vector<std::shared_ptr<Executable>>& models) {
  if (options.name.empty()) throw ConfigError("name: got an empty name, want a name");
  if (options.version.empty()) throw ConfigError("version: got an empty version, want one");
  if (options.inline_limit_ns < 0) {
    throw ConfigError("inline_limit: got " + std::to_string(options.inline_limit_ns) +
                      " ns, want 0 or more");
  }
  if (options.latency_objective_ns && *options.latency_objective_ns <= 0) {
    throw ConfigError("latency_objective: got " + std::to_string(*options.latency_objective_ns) +
                      " ns, want more than 0, or none");
  }
  if (models.empty() || !models.front()) throw ConfigError("model: got null, want a model");
  const Executable& model = *models.front();
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

EngineCore::EngineCore(std::vector<std::shared_ptr<Executable>> instances, EngineOptions options)
    : options_(checked(std::move(options), instances)),
      clock_(options_.clock != nullptr ? *options_.clock : steady_clock()),
      made_ns_(clock_.now_ns()),
      process_generation_(process_generation()),
      pool_(BufferPool::create(kMaxCachedBufferBytes)),
      queue_limit_(options_.batching.max_queue_size),
      max_rows_(options_.batching.max_batch_size),
      deadline_watch_([this] { return expire(); }),
      model_(std::make_shared<LoadedModel>(std::move(instances))),
      scheduler_(checked_for(*model_, options_.batching), pool_),
      instances_(model_->instances()),
      free_(instances_.size()) {
  publish_model_memory_locked();
  if (!options_.inputs.empty()) {
    owned_check_ = std::make_unique<const InputCheck>(options_.inputs);
    input_check_.store(owned_check_.get(), std::memory_order_release);
  }
  if (options_.warmup && !options_.warmup->empty()) {
    if (!owned_check_) {
      owned_check_ = std::make_unique<const InputCheck>(
          InputCheck::implied_by(inputs_of(options_.warmup->front())));
      input_check_.store(owned_check_.get(), std::memory_order_release);
    }
    warm_up(*model_, *owned_check_, *options_.warmup, max_rows_);
  }
  if (!options_.registry) return;
  const auto read = [](const std::atomic<int64_t>& value) {
    return static_cast<double>(value.load(std::memory_order_relaxed));
  };
  recorder_ = std::make_unique<Recorder>(
      options_.registry,
      RecorderOptions{.name = options_.name,
                      .version = options_.version,
                      .latency_objective_ns = options_.latency_objective_ns,
                      .instances = instances_.size(),
                      .load_ns = model_->executable(0).load_ns() + clock_.now_ns() - made_ns_,
                      .padding = options_.batching.padding.has_value(),
                      .native_histograms = options_.native_histograms},
      LiveReadings{
          .queue_depth = [this, read] { return read(queue_depth_); },
          .in_flight = [this, read] { return read(in_flight_); },
          .oldest_request_seconds =
              [this] {
                const int64_t oldest = oldest_arrival_ns_.load(std::memory_order_relaxed);
                if (oldest == kNever) return 0.0;
                return ns_to_seconds(std::max<int64_t>(clock_.now_ns() - oldest, 0));
              },
          .queue_buffer_bytes = [this] { return static_cast<double>(pool_->allocated_bytes()); },
          .queue_limit = [this, read] { return read(queue_limit_); },
          .weights_bytes = [this, read] { return read(weights_bytes_); },
          .activation_bytes = [this, read] { return read(activation_bytes_); }},
      clock_);
}

EngineCore::~EngineCore() = default;

void EngineCore::start() {
  MutexLock lock(mutex_);
  try {
    for (size_t i = 0; i < instances_.size(); ++i) {
      workers_.emplace_back([self = shared_from_this()] { self->work(); });
    }
  } catch (...) {
    // No thread could be had. Those that were made leave at once and hold the core until then.
    phase_ = Phase::kClosed;
    work_arrived_.notify_all();
    for (std::thread& worker : workers_) worker.detach();
    throw;
  }
}

bool EngineCore::ready() const noexcept {
  return phase_.load(std::memory_order_acquire) == Phase::kOpen && !all_lost_.load() && !forked();
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
  std::shared_ptr<LoadedModel> model;
  {
    MutexLock lock(mutex_);
    model = model_;
  }
  const auto outputs = model->outputs();
  return {outputs.begin(), outputs.end()};
}

Batching EngineCore::batching() const {
  refuse_in_child();
  MutexLock lock(mutex_);
  return scheduler_.batching();
}

void EngineCore::publish_queue_state_locked() {
  queue_depth_.store(scheduler_.size(), std::memory_order_relaxed);
  oldest_arrival_ns_.store(scheduler_.oldest_arrival_ns(), std::memory_order_relaxed);
  in_flight_.store(running_requests_, std::memory_order_relaxed);
}

void EngineCore::publish_model_memory_locked() {
  weights_bytes_.store(model_->weights_bytes(), std::memory_order_relaxed);
  activation_bytes_.store(model_->activation_bytes(max_rows_.load()), std::memory_order_relaxed);
}

void EngineCore::ended_some() noexcept {
  // Sequentially consistent with drain() and close(), which set the phase and then look here.
  if (ending_.fetch_sub(1) == 1 && phase_.load() != Phase::kOpen) {
    MutexLock lock(mutex_);
    settled_.notify_all();
  }
  // Behind the count, for a model may close its engine on its way out.
  if (any_retired_.load()) drop_retired_models();
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
  ended_some();
  return ended;
}

bool EngineCore::cancel(Request& request, bool even_running) {
  if (request.owner_ != this || forked()) return false;
  const std::shared_ptr<Request> keep = request.shared_from_this();
  std::shared_ptr<Request> leader;
  bool ends = false;
  {
    MutexLock lock(mutex_);
    const bool queued = scheduler_.remove(request) != nullptr;
    ends = queued || even_running;
    if (ends) ++ending_;
    publish_queue_state_locked();
    // Its caller may never wait again, and so never hear that it was asked to lead.
    if (Ending::asked_to_lead(request) || (queued && scheduler_.fewer_may_release())) {
      leader = hand_over_locked();
    }
  }
  if (leader) Ending::wake_leader(*leader);
  return ends && end_early({&keep, 1}, Outcome::kCancelled) == 1;
}

int64_t EngineCore::expire() {
  std::vector<std::shared_ptr<Request>> due;
  std::shared_ptr<Request> leader;
  int64_t next = kNever;
  {
    MutexLock lock(mutex_);
    due = scheduler_.take_due(clock_.now_ns());
    next = scheduler_.next_due_ns();
    ++ending_;
    publish_queue_state_locked();
    if (scheduler_.fewer_may_release()) leader = hand_over_locked();
  }
  if (leader) Ending::wake_leader(*leader);
  end_early(due, Outcome::kTimeout);
  return next;
}

}  // namespace inferometer
