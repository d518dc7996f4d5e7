// Who waits, who goes next and who has waited too long: the batcher without threads or a clock.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inferometer/batching.h"
#include "inferometer/request.h"
#include "serving/buffer_pool.h"
#include "serving/deadline_heap.h"
#include "serving/request_queue.h"

namespace inferometer {

/// What the engine and the simulator have in common: the queue, the rules of docs/batching.md and
/// the deadlines, for whatever time it is said to be. It knows nothing of instances: whoever has a
/// free one asks next(). Single-owner: the engine's mutex, or the simulator.
class Scheduler {
 public:
  /// `batching` has been checked.
  Scheduler(Batching batching, std::shared_ptr<BufferPool> pool);

  [[nodiscard]] const Batching& batching() const noexcept { return batching_; }
  /// From the next decision on. Requests that wait keep their deadlines and levels; those of levels
  /// that are no more are served as before.
  void reconfigure(Batching batching);

  /// What a caller says of a request. A level of 0 is the default.
  struct Wish {
    int64_t level = 0;
    std::optional<int64_t> timeout_ns;
  };
  /// Fills in the level and the deadlines of a request whose arrival_ns_ is set. Throws ConfigError
  /// for a level that does not exist.
  void prepare(Request& request, const Wish& wish) const;
  /// Empty, or why a prepared request is refused: which queue is full, got and wanted.
  [[nodiscard]] std::string refusal(const Request& request) const;
  /// Queues a prepared request for `model`. `tag`: see GroupKey. Throws std::bad_alloc and leaves
  /// everything alone.
  void accept(std::shared_ptr<Request> request, std::span<const TensorView> inputs,
              const std::shared_ptr<LoadedModel>& model, int64_t tag = 0);

  /// A batch to run now (no requests: none), or when to look again.
  struct Next {
    std::vector<std::shared_ptr<Request>> requests;
    std::shared_ptr<LoadedModel> model;
    ReleaseReason reason = ReleaseReason::kIdle;
    int64_t wait_until_ns = kNever;
  };
  /// Whether whoever asks may run batches of a model; null: of any.
  using Suits = bool (*)(const LoadedModel& model);
  /// Takes the batch that an instance that is free at `now_ns` is to run. take_due() comes first;
  /// the deadlines of what is taken are watched until forget(). One that does not suit is left for
  /// somebody else, who is to look at once.
  [[nodiscard]] Next next(int64_t now_ns, bool draining, Suits suits = nullptr);
  struct Upcoming {
    int64_t release_ns = kNever;
    // Of the batch, if it is released now.
    Request* first = nullptr;
    const LoadedModel* model = nullptr;
  };
  /// When next() would give a batch if nothing else arrived: at `now_ns`, if at once; kNever if
  /// nothing waits.
  [[nodiscard]] Upcoming upcoming(int64_t now_ns, bool draining) const noexcept;
  /// The decision about a request that has just arrived and is alone.
  [[nodiscard]] BatchDecision decide_lone(int64_t rows) const noexcept;
  /// The bucket of inputs of this length; 0 without padding.
  [[nodiscard]] int64_t bucket_of(int64_t length) const noexcept;

  /// Stops watching the deadline of a request that next() gave.
  void forget(Request& request) noexcept { due_.remove(request); }
  /// Takes out the requests, waiting or watched, whose time is up, and puts those behind whose
  /// policy says so.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take_due(int64_t now_ns);
  /// When take_due() has something to do; kNever: not as things are.
  [[nodiscard]] int64_t next_due_ns() const noexcept { return due_.earliest_ns(); }

  /// Takes a waiting request out; null if it does not wait here.
  std::shared_ptr<Request> remove(Request& request) noexcept;
  /// Takes all waiting requests out, in order of arrival.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take_all();
  /// Lets go of a model that no waiting request is for.
  void forget_idle_models() noexcept { queue_.forget_latest(); }

  /// True if a batch may be released because a request left, or went behind the others: the
  /// beginning of a candidate can come to have a preferred size.
  [[nodiscard]] bool fewer_may_release() const noexcept {
    return !batching_.preferred_batch_sizes.empty() && !queue_.empty();
  }

  [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }
  [[nodiscard]] int64_t size() const noexcept { return queue_.size(); }
  [[nodiscard]] int64_t oldest_arrival_ns() const noexcept { return queue_.oldest_arrival_ns(); }

 private:
  struct Choice {
    WaitingGroup* group = nullptr;
    BatchDecision decision;
  };
  [[nodiscard]] Choice choose(int64_t now_ns, bool draining) const noexcept;

  Batching batching_;
  RequestQueue queue_;
  DeadlineHeap due_;
};

}  // namespace inferometer
