#include "serving/waiting_group.h"

#include <algorithm>
#include <functional>

namespace inferometer {
namespace {

size_t mix(size_t seed, size_t value) noexcept {
  constexpr size_t kGolden = 0x9e3779b97f4a7c15U;  // 2^64 / golden ratio: spreads nearby values
  return (seed ^ value) * kGolden;
}

// `shape` without its rows, the padded axis free.
Shape key_shape(const Shape& shape, std::optional<int64_t> padded_axis) {
  Shape row = shape.tail(1);
  if (padded_axis && static_cast<size_t>(*padded_axis) < shape.rank()) {
    row.set(static_cast<size_t>(*padded_axis) - 1, Shape::kFree);
  }
  return row;
}

bool same_rows(const Shape& key, const Shape& shape) noexcept {
  if (shape.rank() != key.rank() + 1) return false;
  for (size_t axis = 0; axis < key.rank(); ++axis) {
    if (key[axis] != Shape::kFree && key[axis] != shape[axis + 1]) return false;
  }
  return true;
}

int64_t segment_capacity(std::span<const TensorView> inputs, int64_t rows, int64_t segment_rows) {
  size_t bytes_per_row = 1;
  for (const TensorView& view : inputs) {
    bytes_per_row += static_cast<size_t>(view.shape.tail(1).elements()) * dtype_size(view.dtype);
  }
  const auto affordable = static_cast<int64_t>(WaitingGroup::kMaxSegmentBytes / bytes_per_row);
  return std::max(rows, std::min(segment_rows, affordable));
}

}  // namespace

GroupKey::GroupKey(std::shared_ptr<LoadedModel> serves, int64_t group_tag,
                   std::span<const TensorView> inputs, std::optional<int64_t> padded_axis)
    : model(std::move(serves)), tag(group_tag), free_axis(padded_axis) {
  rows.reserve(inputs.size());
  for (const TensorView& view : inputs) {
    rows.emplace_back(view.dtype, key_shape(view.shape, padded_axis));
  }
}

bool GroupKey::matches(const LoadedModel* serves, int64_t group_tag,
                       std::span<const TensorView> inputs) const noexcept {
  if (serves != model.get() || group_tag != tag || inputs.size() != rows.size()) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype != rows[i].first || !same_rows(rows[i].second, inputs[i].shape)) {
      return false;
    }
  }
  return true;
}

size_t GroupKey::Hash::operator()(const GroupKey& key) const noexcept {
  size_t hash = mix(std::hash<const void*>()(key.model.get()), static_cast<size_t>(key.tag));
  for (const auto& [dtype, shape] : key.rows) {
    hash = mix(hash, static_cast<size_t>(dtype));
    for (const int64_t dim : shape.dims()) hash = mix(hash, static_cast<size_t>(dim));
  }
  return hash;
}

void WaitingGroup::place(Request& request, std::span<const TensorView> inputs) {
  if (static_cast<size_t>(request.level_) > levels_.size()) {
    levels_.resize(static_cast<size_t>(request.level_));
  }
  const bool padded = key_.free_axis.has_value();
  const bool fits = open_segment_ &&
                    open_segment_->capacity - open_segment_->used >= request.rows_ &&
                    (!padded || open_segment_->matches(inputs));
  if (!fits) {
    // Lengths that differ are gathered and padded anyway: no room is kept for more of this one.
    const int64_t capacity =
        padded ? request.rows_ : segment_capacity(inputs, request.rows_, segment_rows_);
    open_segment_ = std::make_shared<Segment>(pool_, inputs, capacity);
  }
  request.segment_ = open_segment_;
  request.row_begin_ = open_segment_->used;
  open_segment_->used += request.rows_;
}

void WaitingGroup::append(Request& request) noexcept {
  request.group_ = this;
  request.lane_ = request.level_;
  lane_of(request).append(request);
  ++requests_;
  rows_ += request.rows_;
}

void WaitingGroup::remove(Request& request) noexcept {
  lane_of(request).remove(request);
  request.group_ = nullptr;
  --requests_;
  rows_ -= request.rows_;
  // With nothing left behind it the next batch starts a fresh segment, and so fills it whole.
  if (requests_ == 0) open_segment_.reset();
}

void WaitingGroup::put_behind(Request& request) noexcept {
  lane_of(request).remove(request);
  request.lane_ = kBehind;
  behind_.insert(request,
                 [](const Request& a, const Request& b) { return a.sequence_ < b.sequence_; });
}

WaitingGroup::Lane& WaitingGroup::lane_of(const Request& request) noexcept {
  return request.lane_ == kBehind ? behind_ : levels_[static_cast<size_t>(request.lane_) - 1];
}

Request* WaitingGroup::first_from(size_t level) const noexcept {
  for (size_t i = level; i < levels_.size(); ++i) {
    if (!levels_[i].empty()) return levels_[i].first();
  }
  return behind_.first();
}

Request* WaitingGroup::first() const noexcept { return first_from(0); }

Request* WaitingGroup::after(const Request& request) const noexcept {
  Request* const next = Lane::after(request);
  if (next != nullptr || request.lane_ == kBehind) return next;
  return first_from(static_cast<size_t>(request.lane_));
}

int64_t WaitingGroup::oldest_arrival_ns() const noexcept {
  int64_t oldest = behind_.empty() ? kNever : behind_.first()->arrival_ns_;
  for (const Lane& lane : levels_) {
    if (!lane.empty()) oldest = std::min(oldest, lane.first()->arrival_ns_);
  }
  return oldest;
}

BatchCandidate WaitingGroup::candidate(const Batching& batching) const noexcept {
  BatchCandidate candidate;
  candidate.oldest_arrival_ns = oldest_arrival_ns();
  if (!batching.merge_requests) {
    if (const Request* const alone = first()) {
      candidate.requests = 1;
      candidate.rows = alone->rows_;
    }
    return candidate;
  }
  const auto& preferred = batching.preferred_batch_sizes;
  // The usual case needs no walk: everything fits, and no preferred size has been reached.
  if (rows_ <= batching.max_batch_size && (preferred.empty() || rows_ < preferred.front())) {
    candidate.requests = requests_;
    candidate.rows = rows_;
    return candidate;
  }
  auto next_preferred = preferred.begin();
  for (const Request* request = first(); request != nullptr; request = after(*request)) {
    const int64_t rows = candidate.rows + request->rows_;
    // One that was accepted before max_batch_size was lowered goes alone.
    if (rows > batching.max_batch_size && candidate.requests > 0) {
      candidate.next_does_not_fit = true;
      break;
    }
    candidate.rows = rows;
    ++candidate.requests;
    while (next_preferred != preferred.end() && *next_preferred < rows) ++next_preferred;
    if (next_preferred != preferred.end() && *next_preferred == rows) {
      candidate.preferred_requests = candidate.requests;
      candidate.preferred_rows = rows;
    }
  }
  return candidate;
}

}  // namespace inferometer
