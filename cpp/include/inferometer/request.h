// A request on its way through an engine: what the caller waits on and what it gets.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/tensor.h"

namespace inferometer {

/// How a request ended. Each ends exactly once. The first six are also the label values of
/// inference_requests_total{status}; `invalid` requests never become a Request.
enum class Outcome : uint8_t {
  kSuccess,
  kFailure,    // the model raised or broke its contract
  kRejected,   // refused at the door: never accepted
  kTimeout,    // its deadline passed
  kCancelled,  // by its caller
  kShutdown,   // the engine was closed
  kInvalid,    // wrong shape, dtype or name: never accepted
};
inline constexpr size_t kOutcomes = 7;
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;

/// Why a batch was released.
enum class ReleaseReason : uint8_t { kFull, kPreferred, kDelay, kIdle, kShape, kDrain };
inline constexpr size_t kReleaseReasons = 6;
[[nodiscard]] std::string_view release_reason_name(ReleaseReason reason) noexcept;

/// Where the time of one request went, in nanoseconds. A request that never reached the model has
/// no compute time, batch size 0 and waited in the queue for all of `total_ns`.
struct Timing {
  int64_t queue_ns = 0;    // arrival until its batch started
  int64_t compute_ns = 0;  // the model's time for its batch
  int64_t total_ns = 0;    // arrival until it ended
  int64_t batch_size = 0;  // rows of its batch
  ReleaseReason reason = ReleaseReason::kIdle;
};

/// No deadline.
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

class CompletionQueue;
class WaitingGroup;
struct Segment;
struct BatchOutput;

/// One accepted request, shared between its caller and its engine. The engine ends it; anybody may
/// wait for that. Thread-safe.
class Request : public std::enable_shared_from_this<Request> {
 public:
  enum class WaitStatus : uint8_t {
    kEnded,
    kDeadline,
    kSignal,
    kLead,  // only where `caller_waits` was set: call Engine::lead(), then wait again
  };

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  [[nodiscard]] bool ended() const noexcept;
  /// True while its batch is with the model.
  [[nodiscard]] bool running() const noexcept;
  /// Sleeps until the request has ended, `deadline_ns` (on steady_clock()) has passed, or a signal
  /// handler ran on this thread.
  [[nodiscard]] WaitStatus wait(int64_t deadline_ns = kNever) noexcept;

  // Once ended() is true and not before:
  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  [[nodiscard]] const Timing& timing() const noexcept { return timing_; }
  /// What the model threw, for kFailure; null otherwise.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }
  /// This request's rows of each output (kSuccess). The views live as long as the request.
  [[nodiscard]] std::vector<TensorView> outputs() const;
  /// The same one by one, without a list.
  [[nodiscard]] size_t output_count() const noexcept;
  [[nodiscard]] TensorView output(size_t index) const noexcept;
  [[nodiscard]] const std::shared_ptr<void>& result_object() const noexcept {
    return result_object_;
  }

  [[nodiscard]] int64_t rows() const noexcept { return rows_; }
  /// Its priority level, 1 is served first.
  [[nodiscard]] int64_t level() const noexcept { return level_; }
  [[nodiscard]] int64_t arrival_ns() const noexcept { return arrival_ns_; }
  [[nodiscard]] int64_t deadline_ns() const noexcept { return deadline_ns_; }
  /// Whatever the submitter wants to find again at completion (a Python future, say).
  [[nodiscard]] const std::shared_ptr<void>& attachment() const noexcept { return attachment_; }

 private:
  friend class DeadlineHeap;
  friend class EngineCore;
  friend class FormedBatch;
  friend class RequestQueue;
  friend class Scheduler;
  friend class SimulatedWorld;
  friend class WaitingGroup;
  friend class Ending;
  friend class CompletionBatch;

  static constexpr size_t kNotDue = std::numeric_limits<size_t>::max();

  // Constant once submitted.
  const void* owner_ = nullptr;  // the engine that accepted it
  int64_t rows_ = 0;
  int64_t bytes_ = 0;  // of its rows
  int64_t level_ = 1;  // of priority, 1 is served first
  int64_t arrival_ns_ = 0;
  int64_t deadline_ns_ = kNever;
  int64_t queue_deadline_ns_ = kNever;  // when its queue policy acts, if it still waits
  bool caller_waits_ = false;           // somebody is in wait() and may be asked to lead
  bool soon_ = false;  // the answer may be here before a sleeping waiter would be awake
  std::string trace_id_;
  std::shared_ptr<void> attachment_;
  std::shared_ptr<void> object_;
  std::shared_ptr<Segment> segment_;
  int64_t row_begin_ = 0;

  // Guarded by the engine's mutex: its place in the queue.
  struct Links {
    Request* next = nullptr;
    Request* previous = nullptr;
  };
  std::shared_ptr<Request> queued_self_;
  WaitingGroup* group_ = nullptr;
  int64_t lane_ = 0;       // of its group
  uint64_t sequence_ = 0;  // order of arrival
  Links in_lane_;
  Links in_queue_;
  size_t due_index_ = kNotDue;  // in the heap of deadlines

  // Synchronise themselves; the protocol is in serving/ending.h.
  std::atomic<uint32_t> state_{0};
  std::atomic<uint32_t> filled_{0};

  // Moved out by whoever ends the request: a queue that holds a request must not be held by it.
  std::shared_ptr<CompletionQueue> completions_;

  // Written by the worker before state_ says running (queue_ns, batch_size and reason), then by
  // whoever ends the request before state_ says ended.
  Outcome outcome_ = Outcome::kShutdown;
  Timing timing_;
  std::exception_ptr error_;
  std::shared_ptr<const BatchOutput> output_;
  int64_t output_row_ = 0;
  std::shared_ptr<void> result_object_;
};

}  // namespace inferometer
