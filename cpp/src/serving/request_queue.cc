#include "serving/request_queue.h"

#include <algorithm>

namespace inferometer {

RequestQueue::~RequestQueue() {
  while (!all_.empty()) unlink(*all_.first());
}

WaitingGroup& RequestQueue::group_for(std::span<const TensorView> inputs,
                                      const Placement& placement) {
  if (latest_ != nullptr && latest_->key().matches(placement.model.get(), placement.tag, inputs)) {
    return *latest_;
  }
  const GroupKey key(placement.model, placement.tag, inputs, placement.padded_axis);
  WaitingGroup& group = groups_.try_emplace(key, key, *pool_, placement.segment_rows).first->second;
  forget_latest();
  latest_ = &group;
  return group;
}

void RequestQueue::forget_latest() noexcept {
  const WaitingGroup* const latest = std::exchange(latest_, nullptr);
  if (latest != nullptr && latest->requests() == 0) drop(*latest);
}

void RequestQueue::drop(const WaitingGroup& group) noexcept {
  groups_.erase(groups_.find(group.key()));
}

RequestQueue::Order RequestQueue::order_of(const WaitingGroup& group) noexcept {
  const Request& first = *group.first();
  return {first.lane_, first.sequence_};
}

void RequestQueue::append(std::shared_ptr<Request> request, std::span<const TensorView> inputs,
                          const Placement& placement) {
  Request& queued = *request;
  // All that can throw comes first.
  if (static_cast<size_t>(queued.level_) > level_sizes_.size()) {
    level_sizes_.resize(static_cast<size_t>(queued.level_));
  }
  WaitingGroup& group = group_for(inputs, placement);
  group.place(queued, inputs);
  queued.sequence_ = next_sequence_++;
  const bool first = group.requests() == 0;
  if (first) order_.emplace(Order{queued.level_, queued.sequence_}, &group);

  const Order before = first ? Order{} : order_of(group);
  group.append(queued);
  if (!first) reorder(group, before);
  all_.append(queued);
  ++size_;
  bytes_ += queued.bytes_;
  ++level_sizes_[static_cast<size_t>(queued.level_) - 1];
  queued.queued_self_ = std::move(request);
}

void RequestQueue::reorder(WaitingGroup& group, const Order& before) noexcept {
  if (group.requests() == 0) {
    order_.erase(before);
    if (&group != latest_) drop(group);
    return;
  }
  const Order now = order_of(group);
  if (now == before) return;
  auto node = order_.extract(before);
  node.key() = now;
  order_.insert(std::move(node));
}

// All but the group's place in order_, which the caller sees to.
std::shared_ptr<Request> RequestQueue::unlink(Request& request) noexcept {
  request.group_->remove(request);
  all_.remove(request);
  --size_;
  bytes_ -= request.bytes_;
  --level_sizes_[static_cast<size_t>(request.level_) - 1];
  return std::move(request.queued_self_);
}

std::shared_ptr<Request> RequestQueue::remove(Request& request) noexcept {
  if (request.group_ == nullptr) return nullptr;
  WaitingGroup& group = *request.group_;
  const Order before = order_of(group);
  std::shared_ptr<Request> removed = unlink(request);
  reorder(group, before);
  return removed;
}

void RequestQueue::put_behind(Request& request) noexcept {
  WaitingGroup& group = *request.group_;
  const Order before = order_of(group);
  group.put_behind(request);
  reorder(group, before);
}

std::vector<std::shared_ptr<Request>> RequestQueue::take(WaitingGroup& group, int64_t count) {
  std::vector<std::shared_ptr<Request>> taken;
  taken.reserve(static_cast<size_t>(std::min(count, group.requests())));
  if (group.requests() == 0) return taken;
  const Order before = order_of(group);
  while (group.requests() > 0 && std::ssize(taken) < count) {
    taken.push_back(unlink(*group.first()));
  }
  reorder(group, before);
  return taken;
}

std::vector<std::shared_ptr<Request>> RequestQueue::take_all() {
  std::vector<std::shared_ptr<Request>> taken;
  taken.reserve(static_cast<size_t>(size_));
  while (!all_.empty()) taken.push_back(remove(*all_.first()));
  return taken;
}

int64_t RequestQueue::size_of_level(int64_t level) const noexcept {
  const auto index = static_cast<size_t>(level) - 1;
  return index < level_sizes_.size() ? level_sizes_[index] : 0;
}

}  // namespace inferometer
