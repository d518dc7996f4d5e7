// What an Engine shares with its threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "inferometer/engine.h"
#include "serving/buffer_pool.h"
#include "serving/deadline_watch.h"
#include "serving/formed_batch.h"
#include "serving/input_check.h"
#include "serving/recorder.h"
#include "serving/request_queue.h"

namespace inferometer {

/// The engine's state and the two loops that work on it: the worker, which forms and runs batches,
/// and the deadline watch, which ends requests whose time is up (also while the model is busy).
/// Both hold the core by shared_ptr, so a thread that close() had to leave behind stays harmless.
///
/// Locking: `mutex_` guards the queue and who runs what; it is never held while the model runs,
/// rows are copied, metrics are recorded, or a caller is woken. Requests end through
/// Ending::claim(). Thread-safe.
class EngineCore : public std::enable_shared_from_this<EngineCore> {
 public:
  EngineCore(std::shared_ptr<Executable> model, EngineOptions options);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  /// Starts the worker; once, right after construction.
  void start();

  std::shared_ptr<Request> submit(std::span<const NamedInput> inputs, const SubmitOptions& options);
  std::shared_ptr<Request> submit_object(std::shared_ptr<void> object,
                                         const SubmitOptions& options);
  void wake();
  void check(std::span<const NamedInput> inputs) const;
  void count_invalid() noexcept {
    if (recorder_) recorder_->record_refused(Outcome::kInvalid);
  }
  bool cancel(Request& request, bool even_running);
  bool drain(int64_t timeout_ns);
  bool close(int64_t grace_ns);

  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] bool closed() const noexcept;
  [[nodiscard]] bool forked() const noexcept;
  [[nodiscard]] bool on_worker_thread() const noexcept;
  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::vector<TensorSpec> inputs() const;
  [[nodiscard]] std::vector<TensorSpec> outputs() const;

 private:
  enum class Phase : uint8_t { kOpen, kDraining, kClosed };

  // Submitting (engine_submit.cc).
  void refuse_in_child() const;
  std::vector<TensorView> check_inputs(std::span<const NamedInput> inputs);
  std::shared_ptr<Request> enqueue(std::span<const TensorView> inputs, std::shared_ptr<void> object,
                                   int64_t rows, const SubmitOptions& options);
  void refuse_if_not_accepting_locked() REQUIRES(mutex_);
  [[nodiscard]] double retry_after_seconds_locked() const REQUIRES(mutex_);
  [[nodiscard]] bool claim_idle_worker_locked() REQUIRES(mutex_);
  [[nodiscard]] bool answer_comes_soon_locked() const REQUIRES(mutex_);

  // The worker (engine_worker.cc).
  void work();
  std::unique_ptr<FormedBatch> next_batch_locked(std::vector<std::shared_ptr<Request>>& overdue)
      REQUIRES(mutex_);
  void run(FormedBatch& batch);
  struct BatchTimes {
    int64_t input_ns = 0;    // gathering rows
    int64_t compute_ns = 0;  // the model, output_ns included
    int64_t output_ns = 0;   // copying answers
    int64_t end_ns = 0;
  };
  void finish(FormedBatch& batch, const std::exception_ptr& error, const BatchTimes& times);
  // `mine`: which of the batch's requests this thread ends.
  void record(const FormedBatch& batch, const std::vector<bool>& mine, const BatchTimes& times,
              int64_t gone_rows);
  [[nodiscard]] std::vector<TensorSpec> expected_outputs();
  void learn_outputs(const FormedBatch& batch);

  // Ending requests outside a batch (engine_core.cc). Whoever takes them from the queue, or looks
  // them up among the running, counts that in `ending_` under the same lock; end_early() takes it
  // back once they have ended and been recorded.
  size_t end_early(std::span<const std::shared_ptr<Request>> requests, Outcome outcome);
  [[nodiscard]] int64_t expire();
  void publish_queue_state_locked() REQUIRES(mutex_);
  [[nodiscard]] bool settled_locked() const REQUIRES(mutex_) {
    return queue_.empty() && running_.empty() && ending_ == 0;
  }

  // Constant after construction.
  const std::shared_ptr<Executable> model_;
  const EngineOptions options_;
  const Clock& clock_;
  const int64_t made_ns_;
  const uint32_t process_generation_;
  const int64_t max_rows_;
  const std::shared_ptr<BufferPool> pool_;

  // Synchronise themselves. The queue's state is published here for scrapes, which must not wait
  // for mutex_.
  std::atomic<int64_t> queue_depth_{0};
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int64_t> oldest_arrival_ns_{kNever};
  std::atomic<Phase> phase_{Phase::kOpen};
  std::atomic<const InputCheck*> input_check_{nullptr};  // set once; owned by owned_check_
  std::unique_ptr<Recorder> recorder_;                   // null: nothing is recorded
  DeadlineWatch deadline_watch_;

  mutable Mutex mutex_;
  CondVar work_arrived_;
  CondVar settled_;  // nothing waits, runs or is being ended, or the worker has left
  RequestQueue queue_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Request>> running_ GUARDED_BY(mutex_);
  int64_t ending_ GUARDED_BY(mutex_) = 0;  // calls of end_early() under way
  std::unique_ptr<const InputCheck> owned_check_ GUARDED_BY(mutex_);
  std::vector<TensorSpec> outputs_ GUARDED_BY(mutex_);
  double service_ns_per_request_ GUARDED_BY(mutex_) = 0;  // moving average, 0 = not known yet
  bool worker_idle_ GUARDED_BY(mutex_) = false;
  bool worker_waits_out_delay_ GUARDED_BY(mutex_) = false;  // it has seen the oldest request
  bool worker_left_ GUARDED_BY(mutex_) = false;
  bool worker_abandoned_ GUARDED_BY(mutex_) = false;
  std::thread worker_ GUARDED_BY(mutex_);
};

}  // namespace inferometer
