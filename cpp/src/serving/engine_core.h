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
#include "serving/completion_batch.h"
#include "serving/deadline_watch.h"
#include "serving/formed_batch.h"
#include "serving/input_check.h"
#include "serving/loaded_model.h"
#include "serving/recorder.h"
#include "serving/scheduler.h"

namespace inferometer {

/// The engine's state and whoever works on it: workers (one an instance), callers that run or lead
/// a batch, event loops that flush, and the deadline watch, which ends requests whose time is up
/// (also while the model is busy). Threads of the engine hold the core by shared_ptr, so one that
/// close() had to leave behind stays harmless.
///
/// Whoever looks after the engine does the same: under the lock take_work_locked() gives it what is
/// due and a released batch on a free instance, which it then performs without the lock. Nobody
/// waits while holding an instance, but for rows that are being copied at that moment. Releasing an
/// instance includes seeing to it that somebody looks again: see hand_over_locked().
///
/// Locking: `mutex_` guards the queue and who runs what; it is never held while the model runs,
/// metrics are recorded, or a caller is woken. Requests end through Ending::claim(). Thread-safe.
class EngineCore : public std::enable_shared_from_this<EngineCore> {
 public:
  EngineCore(std::vector<std::shared_ptr<Executable>> instances, EngineOptions options);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  /// Starts the workers; once, right after construction.
  void start();

  // As Engine's (engine_submit.cc).
  std::shared_ptr<Request> submit(std::span<const NamedInput> inputs, const SubmitOptions& options);
  std::shared_ptr<Request> submit_object(std::shared_ptr<void> object,
                                         const SubmitOptions& options);
  void check(std::span<const NamedInput> inputs) const;
  void count_invalid() noexcept {
    if (recorder_) recorder_->record_refused(Outcome::kInvalid);
  }

  // On callers' threads (engine_callers.cc).
  EndedCall try_run_here(std::span<const NamedInput> inputs, AnswerSink& answer,
                         const SubmitOptions& options);
  void lead(const Request& caller);
  FlushStatus flush(const CompletionQueue& here, std::vector<std::shared_ptr<Request>>& ended,
                    int64_t budget_ns);
  void leave_to_worker() noexcept;

  // Ending early and changing (engine_core.cc, engine_change.cc, engine_close.cc).
  bool cancel(Request& request, bool even_running);
  void reconfigure(const Batching& batching);
  void swap(std::vector<std::shared_ptr<Executable>> instances);
  bool drain(int64_t timeout_ns);
  bool close(int64_t grace_ns);

  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] bool closed() const noexcept;
  [[nodiscard]] bool forked() const noexcept;
  /// This thread is running a batch of this engine, or is one of its workers.
  [[nodiscard]] bool on_worker_thread() const noexcept;
  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
  [[nodiscard]] Batching batching() const;
  [[nodiscard]] int64_t max_batch_size() const noexcept {
    return max_rows_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] size_t instances() const noexcept { return instances_.size(); }
  [[nodiscard]] std::vector<TensorSpec> inputs() const;
  [[nodiscard]] std::vector<TensorSpec> outputs() const;

 private:
  // A call with a deadline runs or leads on its own thread only if the model is known to take less
  // than this part of the time that is left: its caller would hear too late that it has passed.
  static constexpr double kDeadlineRoom = 10;

  enum class Phase : uint8_t { kOpen, kDraining, kClosed };
  enum class Runner : uint8_t { kWorker, kCaller, kLoop };

  struct Instance {
    bool busy = false;
    FormedBatch* running = nullptr;
    bool lost = false;  // its device fails whatever it is asked
    // Lost, and kept from running while another instance can: what fails at once would draw all
    // requests.
    bool resting = false;
    const LoadedModel* lone_model = nullptr;  // in use by a call on its caller's thread
    const Request* led_by = nullptr;  // the request of the caller that runs the batch, if one does
    // Arrival (in ticks) of the call that runs here on its caller's thread; kNever: none does.
    // Whoever takes it out ends that call: the caller when the model is done, or close().
    // Synchronises itself.
    std::atomic<int64_t> lone_arrival{kNever};
  };
  // What is to be done without the lock.
  struct Work {
    std::vector<std::shared_ptr<Request>> due;
    std::unique_ptr<FormedBatch> batch;
    size_t instance = 0;
    int64_t look_again_ns = kNever;  // if there is nothing to do
    [[nodiscard]] bool any() const noexcept { return batch != nullptr || !due.empty(); }
  };
  struct BatchTimes {
    int64_t input_ns = 0;    // gathering rows, bringing them to a device
    int64_t compute_ns = 0;  // the model, output_ns included
    int64_t output_ns = 0;   // copying answers
    int64_t end_ns = 0;
  };
  // Marks this thread as running this engine, for on_worker_thread().
  class Frame;

  // Submitting.
  void refuse_in_child() const;
  // As InputCheck::in_order(); the first request fixes the inputs where nothing else did.
  std::span<const TensorView> check_inputs(std::span<const NamedInput> inputs,
                                           std::optional<InputCheck::Ordered>& several);
  void check_trace_id(std::string_view trace_id);
  std::shared_ptr<Request> enqueue(std::span<const TensorView> inputs, std::shared_ptr<void> object,
                                   int64_t rows, const SubmitOptions& options);
  void refuse_if_not_accepting_locked() REQUIRES(mutex_);
  void refuse_if_full_locked(const Request& request) REQUIRES(mutex_);
  [[nodiscard]] double retry_after_seconds_locked() const REQUIRES(mutex_);
  [[nodiscard]] bool answer_comes_soon_locked() const REQUIRES(mutex_);

  // Forming and running batches (engine_batches.cc).
  // A batch only if the runner may run it; else `look_again_ns` says when another one is to look.
  Work take_work_locked(Runner runner) REQUIRES(mutex_);
  size_t claim_instance_locked() REQUIRES(mutex_);
  // What a batch of the model took, or a lone call of it.
  void learn_cost_locked(const LoadedModel* model, int64_t batch_ns, int64_t requests)
      REQUIRES(mutex_);
  void release_instance_locked(size_t instance, int64_t requests) REQUIRES(mutex_);
  // Counts what a run failed of, if it was the device. True if the instance is of no use any more.
  bool note_device_fault(const std::exception_ptr& error, const Executable& executable) noexcept;
  // One that is not running (engine_health.cc).
  void lose_instance_locked(size_t instance) REQUIRES(mutex_);
  void recover_instances_locked() REQUIRES(mutex_);
  void wake_resting_instances_locked() REQUIRES(mutex_);
  void perform(Work& work, CompletionBatch& completions, Runner runner);
  void run(FormedBatch& batch, size_t instance, CompletionBatch& completions, Runner runner);
  // Ends the batch of a thread that does not return from the model.
  void abandon(FormedBatch& batch, size_t instance);
  void finish(FormedBatch& batch, size_t instance, const std::exception_ptr& error,
              const BatchTimes& times, CompletionBatch& completions, Runner runner);
  // `mine`: which of the batch's requests this thread ends.
  void record(const FormedBatch& batch, size_t instance, const std::vector<bool>& mine,
              const BatchTimes& times, int64_t gone_rows);
  // After an instance came free, or what waits or the rules changed: finds somebody to run what is
  // released. The caller that is returned was asked to lead, and must be woken once the lock is
  // released.
  [[nodiscard]] std::shared_ptr<Request> hand_over_locked() REQUIRES(mutex_);

  // On callers' threads. What counts is the model of the batch: swap() leaves requests of the model
  // before waiting.
  [[nodiscard]] static bool callers_may_run(const LoadedModel& model) {
    return !model.executable(0).may_block();  // it would hold up who has better things to do
  }
  [[nodiscard]] static bool callers_may_lead(const LoadedModel& model) {
    return callers_may_run(model) && !model.executable(0).needs_interpreter();
  }
  [[nodiscard]] bool loops_may_run(const LoadedModel& model) const {
    return options_.caller_runs && model.batch_ns() > 0 &&
           model.batch_ns() < static_cast<double>(options_.inline_limit_ns) &&
           callers_may_run(model);
  }
  // The caller of this request can be asked to lead a batch of this model.
  [[nodiscard]] bool may_lead_locked(const Request& request, const LoadedModel& model,
                                     int64_t now_ns) const REQUIRES(mutex_);
  [[nodiscard]] static bool leaves_room(const LoadedModel& model, int64_t time_left_ns) {
    return model.batch_ns() > 0 &&
           static_cast<double>(time_left_ns) >= kDeadlineRoom * model.batch_ns();
  }
  [[nodiscard]] bool may_run_here_locked(int64_t rows, const SubmitOptions& options,
                                         BatchDecision& decision) REQUIRES(mutex_);
  void record_lone(size_t instance, const EndedCall& call, std::string_view trace_id,
                   ExecutedBatch& executed);

  // Workers (engine_worker.cc).
  void work();
  void sleep_locked(int64_t until_ns) REQUIRES(mutex_);
  // Has a worker look at `at_ns`; at once, if that is not after `now_ns`.
  void call_worker_locked(int64_t at_ns, int64_t now_ns) REQUIRES(mutex_);

  // Ending requests outside a batch. Whoever takes them from the queue, or looks them up among the
  // running, counts that in `ending_` under the same lock; end_early() takes it back once they have
  // ended and been recorded.
  size_t end_early(std::span<const std::shared_ptr<Request>> requests, Outcome outcome);
  void ended_some() noexcept;
  [[nodiscard]] int64_t expire();
  void publish_queue_state_locked() REQUIRES(mutex_);
  void publish_model_memory_locked() REQUIRES(mutex_);
  [[nodiscard]] bool nothing_runs_locked() const REQUIRES(mutex_) {
    return free_ + resting_ == instances_.size();
  }
  [[nodiscard]] bool settled_locked() const REQUIRES(mutex_) {
    return scheduler_.empty() && nothing_runs_locked() && ending_ == 0;
  }
  [[nodiscard]] bool draining() const noexcept { return phase_.load() == Phase::kDraining; }
  void drop_retired_models();

  // Constant after construction.
  const EngineOptions options_;
  const Clock& clock_;
  const int64_t made_ns_;
  const uint32_t process_generation_;
  const std::shared_ptr<BufferPool> pool_;

  // Synchronise themselves. The queue's state is published here for scrapes, which must not wait
  // for mutex_.
  std::atomic<int64_t> queue_depth_{0};
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int64_t> oldest_arrival_ns_{kNever};
  std::atomic<int64_t> queue_limit_;
  std::atomic<int64_t> max_rows_;
  std::atomic<int64_t> weights_bytes_{0};
  std::atomic<int64_t> activation_bytes_{0};
  std::atomic<int64_t> ending_{0};  // calls of end_early() and finish() under way; +1 under mutex_
  std::atomic<bool> any_retired_{false};  // retired_ holds something; written under mutex_
  std::atomic<bool> all_lost_{false};  // no instance has a device that works; written under mutex_
  std::atomic<Phase> phase_{Phase::kOpen};
  std::atomic<const InputCheck*> input_check_{nullptr};  // set once; owned by owned_check_
  std::unique_ptr<Recorder> recorder_;                   // null: nothing is recorded
  DeadlineWatch deadline_watch_;

  mutable Mutex mutex_;
  std::shared_ptr<LoadedModel> model_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<LoadedModel>> retired_
      GUARDED_BY(mutex_);  // by swap(), may be in use
  Scheduler scheduler_ GUARDED_BY(mutex_);
  std::vector<Instance> instances_;  // their plain fields are guarded by mutex_
  size_t free_ GUARDED_BY(mutex_);
  size_t resting_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<const InputCheck> owned_check_ GUARDED_BY(mutex_);
  int64_t running_requests_ GUARDED_BY(mutex_) = 0;
  // How often in a row the same thread came and found nothing going on.
  const void* calm_thread_ GUARDED_BY(mutex_) = nullptr;
  int calm_ GUARDED_BY(mutex_) = 0;

  CondVar settled_;  // nothing waits, runs or is being ended, or a worker has left
  // One worker at a time may hold the timer and sleep until timer_ns_; the others sleep until they
  // are called.
  CondVar work_arrived_;
  CondVar timer_changed_;
  bool timer_held_ GUARDED_BY(mutex_) = false;
  bool timer_called_ GUARDED_BY(mutex_) = false;
  int64_t timer_ns_ GUARDED_BY(mutex_) = kNever;
  size_t sleepers_ GUARDED_BY(mutex_) = 0;
  size_t calls_ GUARDED_BY(mutex_) = 0;  // sleepers that were called and are not awake yet
  size_t workers_left_ GUARDED_BY(mutex_) = 0;
  bool workers_abandoned_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_ GUARDED_BY(mutex_);
};

}  // namespace inferometer
