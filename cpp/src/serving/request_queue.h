// The requests that wait, in order of arrival, and the rows they brought.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "inferometer/request.h"
#include "serving/batch_policy.h"
#include "serving/buffer_pool.h"
#include "serving/segment.h"

namespace inferometer {

/// FIFO of requests linked through themselves, so that a cancelled or expired one leaves in
/// constant time. append() gives each request its place in a segment: rows of consecutive requests
/// of one signature lie side by side, and a batch of them is handed to the model as it lies.
/// Copying the rows there is the submitter's business, outside the lock that guards this object.
/// Single-owner: the engine's mutex, or the simulator.
class RequestQueue {
 public:
  /// Segments hold `segment_rows` rows, or fewer where that would pass kMaxSegmentBytes.
  RequestQueue(std::shared_ptr<BufferPool> pool, int64_t segment_rows);
  ~RequestQueue();
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  static constexpr size_t kMaxSegmentBytes = size_t{64} << 20;

  /// Queues `request` (whose rows_, arrival_ns_ and deadline_ns_ are set) and reserves room for
  /// rows like `inputs` (none for an opaque request). Throws std::bad_alloc and leaves the queue
  /// alone.
  void append(std::shared_ptr<Request> request, std::span<const TensorView> inputs);
  /// Takes a request out of the middle; its rows stay behind as a hole. Does nothing if it is not
  /// queued here.
  void remove(Request& request) noexcept;
  /// The requests at the head that fit into one batch of at most `max_rows` rows. A request is
  /// never split.
  [[nodiscard]] BatchCandidate candidate(int64_t max_rows) const noexcept;
  /// Takes the first `count` requests out, in order.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take(int64_t count);
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take_all() { return take(size_); }
  /// Takes out every request whose deadline is not after `now_ns`.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take_expired(int64_t now_ns);

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] int64_t size() const noexcept { return size_; }
  [[nodiscard]] int64_t rows() const noexcept { return rows_; }
  /// True if requests of different signatures may be waiting: a batch may end early because of
  /// that.
  [[nodiscard]] bool signatures_differ() const noexcept { return signatures_differ_; }
  /// Arrival of the oldest waiting request; kNever if none waits.
  [[nodiscard]] int64_t oldest_arrival_ns() const noexcept;
  /// No waiting request's deadline is before it; kNever if there is none. Exact right after
  /// take_expired(), else it may be that of a request that has left.
  [[nodiscard]] int64_t earliest_deadline_ns() const noexcept { return earliest_deadline_ns_; }

 private:
  void unlink(Request& request) noexcept;

  const std::shared_ptr<BufferPool> pool_;
  const int64_t segment_rows_;
  Request* head_ = nullptr;
  Request* tail_ = nullptr;
  int64_t size_ = 0;
  int64_t rows_ = 0;
  bool signatures_differ_ = false;
  int64_t earliest_deadline_ns_ = kNever;
  // Where the next request's rows go, if they fit there.
  std::shared_ptr<Segment> open_segment_;
};

}  // namespace inferometer
