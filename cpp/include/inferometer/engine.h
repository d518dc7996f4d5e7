// The engine: takes single requests, forms batches, runs them, tells what happened.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inferometer/batching.h"
#include "inferometer/clock.h"
#include "inferometer/executable.h"
#include "inferometer/request.h"

namespace inferometer {

class CompletionQueue;
class EngineCore;
class Registry;

/// One request to run before the first real one: its inputs by name (empty: the only input).
using WarmupSample = std::vector<std::pair<std::string, Tensor>>;

struct EngineOptions {
  std::string name;
  std::string version = "1";
  Batching batching;
  /// What a request must look like. Empty: the executable's own specs, or else what the first
  /// request looks like.
  std::vector<TensorSpec> inputs;
  /// Run on every instance before the engine is ready, and before a model is swapped in; not
  /// recorded. Null: none.
  std::shared_ptr<const std::vector<WarmupSample>> warmup;
  /// Successful requests within it are counted.
  std::optional<int64_t> latency_objective_ns;
  /// Gives the model's histograms native buckets, shown in protobuf. Versions of one model share
  /// their histograms: the first of them decides.
  bool native_histograms = false;
  /// Callers may run batches on their own threads. Off: only workers do.
  bool caller_runs = true;
  /// Batches that are known to take less may run on an event loop's thread; 0: none.
  int64_t inline_limit_ns = 200'000;
  /// Where to record; null: nowhere.
  std::shared_ptr<Registry> registry;
  const Clock* clock = nullptr;  // null: steady_clock()
};

/// One input of a request; an empty name is "the only input".
struct NamedInput {
  std::string_view name;
  TensorView view;
};

struct SubmitOptions {
  /// From now until the deadline. None: the batching's default. 0 or less: already late.
  std::optional<int64_t> timeout_ns;
  /// 1 (served first) to Batching::priority_levels, or 0 for the default.
  int64_t priority = 0;
  /// Where the request is pushed when it has ended; null: nobody but who waits on it.
  std::shared_ptr<CompletionQueue> completions;
  std::shared_ptr<void> attachment;
  /// The trace that the request belongs to, for the exemplar of its latency; at most 120 code
  /// points of UTF-8, else submit() throws ConfigError. Empty: none.
  std::string_view trace_id = {};
  /// Leaves a sleeping worker asleep: the submitter will call Engine::flush() when it has submitted
  /// all it has to. (Whatever else wakes the worker meanwhile serves this request too.)
  bool flush_later = false;
  /// The submitter goes on to Request::wait() and does what it says: it may be asked to lead.
  bool caller_waits = false;
};

/// Where the answer to a blocking call goes, so that it is written once.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  /// Memory for output `index`, which lives until the call has returned. Indices come in the order
  /// 0, 1, 2, ... May throw, which fails the request.
  virtual MutableTensorView output(size_t index, DType dtype, const Shape& shape) = 0;
};

/// How a call that ran on its caller's thread ended.
struct EndedCall {
  bool ran = false;  // false: nothing has happened, the request must be submitted
  Outcome outcome = Outcome::kSuccess;
  Timing timing;
  std::exception_ptr error;  // what the model threw, for kFailure
};

/// What flush() left to do.
enum class FlushStatus : uint8_t {
  kDone,      // nothing for this thread: what still waits is somebody else's business
  kMoreToDo,  // released batches wait, but the time given is over: call again soon
};

/// A snapshot of one engine. Without a registry (nothing is recorded) `recording` is false and only
/// the queue's state is filled in.
struct EngineStats {
  /// Seconds, or rows for batch_size. Quantiles are interpolated within the histogram's buckets as
  /// Prometheus' histogram_quantile does; NaN where nothing was observed.
  struct Distribution {
    uint64_t count = 0;
    double mean = 0;
    double p50 = 0;
    double p95 = 0;
    double p99 = 0;
  };
  bool recording = false;
  std::array<uint64_t, kOutcomes> requests{};       // by Outcome
  std::array<uint64_t, kReleaseReasons> batches{};  // by ReleaseReason
  Distribution latency, queue, compute, batch_size;
  double busy_seconds = 0;
  double wasted_seconds = 0;
  double telemetry_seconds = 0;
  int64_t queue_depth = 0;
  int64_t in_flight = 0;
};

/// One model behind a queue, and a worker thread for each instance of it. Every accepted request
/// ends exactly once, whatever happens. In a forked child every method but close() throws
/// ClosedError; the parent is unharmed. Thread-safe.
class Engine {
 public:
  /// Throws ConfigError for bad options, or a second live engine of this name and version in the
  /// registry; InputError, ShapeError, DTypeError or ModelError for a warm-up sample that does not
  /// fit or fails.
  Engine(std::shared_ptr<Executable> model, EngineOptions options);
  /// Several instances, which run batches at the same time. They must agree in inputs and outputs;
  /// one executable that may be run by several threads at once may stand here several times.
  Engine(std::vector<std::shared_ptr<Executable>> instances, EngineOptions options);
  /// As close().
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Copies the rows and queues the request. Throws InputError, ShapeError or DTypeError (counted
  /// as `invalid`), QueueFullError (`rejected`) or ClosedError, and then there is no request.
  std::shared_ptr<Request> submit(std::span<const NamedInput> inputs,
                                  const SubmitOptions& options = {});
  /// A request that carries an object instead of tensors; it counts as one row. Throws
  /// InputError if the model takes tensors, QueueFullError or ClosedError.
  std::shared_ptr<Request> submit_object(std::shared_ptr<void> object,
                                         const SubmitOptions& options = {});
  /// Runs one request of arrays on this thread and the caller's own memory, if an instance is free,
  /// nothing waits, and the batching lets it go alone; else returns `ran` = false at once and has
  /// counted nothing. For a Python model the GIL may be held. Throws as submit().
  EndedCall try_run_here(std::span<const NamedInput> inputs, AnswerSink& answer,
                         const SubmitOptions& options = {});
  /// What Request::wait() asks for with kLead: runs one batch on this thread, if one is released
  /// and an instance free. `caller` is the request that was asked.
  void lead(const std::shared_ptr<Request>& caller);
  /// The end of a loop's turn: serves what was submitted with `flush_later`. While the model is
  /// known to be fast (EngineOptions::inline_limit_ns a batch) released batches run on this thread,
  /// for about `budget_ns` in all, and their requests that belong to `here` are appended to `ended`
  /// instead of waking its loop. Else a worker is woken.
  FlushStatus flush(const CompletionQueue& here, std::vector<std::shared_ptr<Request>>& ended,
                    int64_t budget_ns);
  /// In place of a flush() that is due, or was told kMoreToDo, where the loop is gone: a worker
  /// sees to what waits.
  void leave_to_worker() noexcept;
  /// Throws what submit() would for inputs of these shapes and types, without counting it. The data
  /// is not looked at.
  void check(std::span<const NamedInput> inputs) const;
  /// Counts a request that was found invalid before it could be submitted.
  void count_invalid() noexcept;
  /// Ends a request as `cancelled` if it still waits, or (`even_running`) if its batch is with the
  /// model: then its answer is thrown away and its share of the compute counted as wasted. False if
  /// it was too late.
  bool cancel(const std::shared_ptr<Request>& request, bool even_running);

  /// Batches are formed by these rules from now on. What was accepted stays accepted. Throws
  /// ConfigError and changes nothing.
  void reconfigure(const Batching& batching);
  /// Serves requests that arrive from now on with another model, as many instances of it; what was
  /// accepted finishes on the old one. Throws ConfigError if their number, inputs or outputs differ
  /// from the present ones, or the model takes fewer rows, and what a warm-up sample throws; then
  /// nothing has changed.
  void swap(std::vector<std::shared_ptr<Executable>> instances);

  /// Refuses new requests and finishes what was accepted. False if that takes longer than
  /// `timeout_ns`; what is left goes on.
  bool drain(int64_t timeout_ns);
  /// Refuses new requests and ends all others at once with the outcome `shutdown`, waking whoever
  /// waits. A model that is running is given `grace_ns` to return; false if it does not, and its
  /// thread is then left to itself. Idempotent.
  bool close(int64_t grace_ns = 5 * kNanosPerSecond);
  [[nodiscard]] bool closed() const noexcept;
  /// Accepts requests: neither closed nor draining.
  [[nodiscard]] bool ready() const noexcept;

  /// True in a process forked from the one that made the engine: nothing runs here.
  [[nodiscard]] bool forked() const noexcept;
  /// True on the thread that is running this engine's model: to wait for the engine there would be
  /// to wait for oneself.
  [[nodiscard]] bool on_worker_thread() const noexcept;

  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::string& version() const noexcept;
  [[nodiscard]] Batching batching() const;
  /// Batching::max_batch_size as it is now.
  [[nodiscard]] int64_t max_batch_size() const noexcept;
  [[nodiscard]] size_t instances() const noexcept;
  /// The input specs; empty until the first request fixed them, where nothing else did.
  [[nodiscard]] std::vector<TensorSpec> inputs() const;
  [[nodiscard]] std::vector<TensorSpec> outputs() const;

 private:
  std::shared_ptr<EngineCore> core_;
};

}  // namespace inferometer
