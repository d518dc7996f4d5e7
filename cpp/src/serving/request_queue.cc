#include "serving/request_queue.h"

#include <algorithm>
#include <utility>

namespace inferometer {
namespace {

int64_t segment_capacity(std::span<const TensorView> inputs, int64_t rows, int64_t segment_rows) {
  size_t bytes_per_row = 1;
  for (const TensorView& view : inputs) {
    bytes_per_row += static_cast<size_t>(view.shape.tail(1).elements()) * dtype_size(view.dtype);
  }
  const auto affordable = static_cast<int64_t>(RequestQueue::kMaxSegmentBytes / bytes_per_row);
  return std::max(rows, std::min(segment_rows, affordable));
}

}  // namespace

RequestQueue::RequestQueue(std::shared_ptr<BufferPool> pool, int64_t segment_rows)
    : pool_(std::move(pool)), segment_rows_(segment_rows) {}

RequestQueue::~RequestQueue() {
  while (head_ != nullptr) unlink(*head_);
}

void RequestQueue::append(std::shared_ptr<Request> request, std::span<const TensorView> inputs) {
  Request& queued = *request;
  const bool matches = open_segment_ && open_segment_->matches(inputs);
  if (!matches || open_segment_->capacity - open_segment_->used < queued.rows_) {
    if (open_segment_ && !matches) signatures_differ_ = true;
    open_segment_ = std::make_shared<Segment>(
        *pool_, inputs, segment_capacity(inputs, queued.rows_, segment_rows_));
  }
  queued.segment_ = open_segment_;
  queued.row_begin_ = open_segment_->used;
  open_segment_->used += queued.rows_;

  queued.previous_ = tail_;
  queued.next_ = nullptr;
  (tail_ != nullptr ? tail_->next_ : head_) = &queued;
  tail_ = &queued;
  ++size_;
  rows_ += queued.rows_;
  earliest_deadline_ns_ = std::min(earliest_deadline_ns_, queued.deadline_ns_);
  queued.queued_self_ = std::move(request);
}

void RequestQueue::unlink(Request& request) noexcept {
  (request.previous_ != nullptr ? request.previous_->next_ : head_) = request.next_;
  (request.next_ != nullptr ? request.next_->previous_ : tail_) = request.previous_;
  --size_;
  rows_ -= request.rows_;
  // With nothing left behind it the next batch starts a fresh segment, and so fills it whole.
  if (size_ == 0) {
    open_segment_.reset();
    signatures_differ_ = false;
    earliest_deadline_ns_ = kNever;
  }
  request.next_ = request.previous_ = nullptr;
  request.queued_self_.reset();
}

void RequestQueue::remove(Request& request) noexcept {
  if (!request.queued_self_) return;
  const std::shared_ptr<Request> keep = request.queued_self_;
  unlink(request);
}

BatchCandidate RequestQueue::candidate(int64_t max_rows) const noexcept {
  BatchCandidate candidate;
  if (head_ == nullptr) return candidate;
  candidate.oldest_arrival_ns = head_->arrival_ns_;
  const Segment* segment = head_->segment_.get();
  for (const Request* request = head_; request != nullptr; request = request->next_) {
    if (request->segment_.get() != segment) {
      // Same signature in another segment is fine: the batch is then gathered.
      if (!request->segment_->matches(*segment)) {
        candidate.end = BatchCandidate::End::kShape;
        return candidate;
      }
      segment = request->segment_.get();
    }
    if (candidate.rows + request->rows_ > max_rows) {
      candidate.end = BatchCandidate::End::kFull;
      return candidate;
    }
    candidate.rows += request->rows_;
    ++candidate.requests;
  }
  return candidate;
}

std::vector<std::shared_ptr<Request>> RequestQueue::take(int64_t count) {
  std::vector<std::shared_ptr<Request>> taken;
  taken.reserve(static_cast<size_t>(std::min(count, size_)));
  while (head_ != nullptr && static_cast<int64_t>(taken.size()) < count) {
    taken.push_back(head_->queued_self_);
    unlink(*head_);
  }
  return taken;
}

std::vector<std::shared_ptr<Request>> RequestQueue::take_expired(int64_t now_ns) {
  std::vector<std::shared_ptr<Request>> expired;
  if (earliest_deadline_ns_ > now_ns) return expired;
  size_t count = 0;
  int64_t earliest = kNever;
  for (const Request* request = head_; request != nullptr; request = request->next_) {
    const bool due = request->deadline_ns_ <= now_ns;
    count += due ? 1 : 0;
    if (!due) earliest = std::min(earliest, request->deadline_ns_);
  }
  expired.reserve(count);  // all that can throw, before anything is taken out
  for (Request* request = head_; request != nullptr;) {
    Request* const next = request->next_;
    if (request->deadline_ns_ <= now_ns) {
      expired.push_back(request->queued_self_);
      unlink(*request);
    }
    request = next;
  }
  earliest_deadline_ns_ = earliest;
  return expired;
}

int64_t RequestQueue::oldest_arrival_ns() const noexcept {
  return head_ != nullptr ? head_->arrival_ns_ : kNever;
}

}  // namespace inferometer
