// The requests that wait, in groups that can share a batch, and the rows they brought.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inferometer/request.h"
#include "serving/buffer_pool.h"
#include "serving/request_list.h"
#include "serving/waiting_group.h"

namespace inferometer {

/// Requests are linked through themselves, so that a cancelled or expired one leaves in constant
/// time, and belong to groups, which are kept in the order in which they are to be served: most
/// urgent level first, then earliest arrival. Copying rows to their place is the submitter's
/// business, outside the lock that guards this object. Single-owner: the engine's mutex, or the
/// simulator.
class RequestQueue {
 public:
  explicit RequestQueue(std::shared_ptr<BufferPool> pool) : pool_(std::move(pool)) {}
  ~RequestQueue();
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  /// What a request's group depends on beside its inputs.
  struct Placement {
    const std::shared_ptr<LoadedModel>& model;
    int64_t tag = 0;
    std::optional<int64_t> padded_axis = {};
    int64_t segment_rows = 1;
  };

  /// Queues `request` (whose rows_, level_ and arrival_ns_ are set) and reserves room for rows like
  /// `inputs` (none for an opaque request). Throws std::bad_alloc and leaves the queue alone.
  void append(std::shared_ptr<Request> request, std::span<const TensorView> inputs,
              const Placement& placement);
  /// Takes a request out of the middle; its rows stay behind as a hole. Null if it is not queued
  /// here.
  std::shared_ptr<Request> remove(Request& request) noexcept;
  /// Puts a request behind all levels of its group.
  void put_behind(Request& request) noexcept;
  /// Takes the first `count` requests of a group out, in order. Throws std::bad_alloc before.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take(WaitingGroup& group, int64_t count);
  /// Takes everything out, in order of arrival.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take_all();

  /// Forgets the group that is kept for the next request like the last, if nothing waits in it, and
  /// with it the model that it is for.
  void forget_latest() noexcept;

  /// Level and order of arrival of a group's first request.
  using Order = std::pair<int64_t, uint64_t>;
  /// The groups that have requests, in the order in which they are to be served.
  [[nodiscard]] const std::map<Order, WaitingGroup*>& groups() const noexcept { return order_; }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] int64_t size() const noexcept { return size_; }
  [[nodiscard]] int64_t size_of_level(int64_t level) const noexcept;
  [[nodiscard]] int64_t bytes() const noexcept { return bytes_; }
  /// Arrival of the oldest waiting request; kNever if none waits.
  [[nodiscard]] int64_t oldest_arrival_ns() const noexcept {
    return all_.empty() ? kNever : all_.first()->arrival_ns_;
  }

 private:
  using Groups = std::unordered_map<GroupKey, WaitingGroup, GroupKey::Hash>;

  [[nodiscard]] WaitingGroup& group_for(std::span<const TensorView> inputs,
                                        const Placement& placement);
  [[nodiscard]] static Order order_of(const WaitingGroup& group) noexcept;
  // After a change of a group that stood at `before`: puts it where it belongs now.
  void reorder(WaitingGroup& group, const Order& before) noexcept;
  std::shared_ptr<Request> unlink(Request& request) noexcept;
  void drop(const WaitingGroup& group) noexcept;

  const std::shared_ptr<BufferPool> pool_;
  Groups groups_;
  WaitingGroup* latest_ = nullptr;  // of the newest request; kept when it is empty
  std::map<Order, WaitingGroup*> order_;
  RequestList<&Request::in_queue_> all_;
  int64_t size_ = 0;
  int64_t bytes_ = 0;
  std::vector<int64_t> level_sizes_;  // [0] is level 1; as many as were used
  uint64_t next_sequence_ = 0;
};

}  // namespace inferometer
