#include "serving/scheduler.h"

#include <algorithm>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

int64_t after(int64_t from_ns, int64_t ns) noexcept {
  return ns < kNever - from_ns ? from_ns + std::max<int64_t>(ns, 0) : kNever;
}

std::string full(const std::string& what, int64_t got, const std::string& unit, int64_t limit,
                 const std::string& option) {
  return what + " is full: got " + std::to_string(got) + " waiting " + unit + ", want fewer than " +
         std::to_string(limit) + " (" + option + ")";
}

int64_t longest(std::span<const TensorView> inputs, int64_t padded_axis) noexcept {
  const auto axis = static_cast<size_t>(padded_axis);
  int64_t length = 0;
  for (const TensorView& view : inputs) {
    if (axis < view.shape.rank()) length = std::max(length, view.shape[axis]);
  }
  return length;
}

}  // namespace

Scheduler::Scheduler(Batching batching, std::shared_ptr<BufferPool> pool)
    : batching_(std::move(batching)), queue_(std::move(pool)) {}

void Scheduler::reconfigure(Batching batching) {
  batching_ = std::move(batching);
  queue_.forget_latest();  // its segments are of the old size
}

void Scheduler::prepare(Request& request, const Wish& wish) const {
  if (wish.level < 0 || wish.level > batching_.priority_levels) {
    throw ConfigError("priority: got " + std::to_string(wish.level) + ", want 0 to " +
                      std::to_string(batching_.priority_levels) + " (priority_levels)");
  }
  int64_t level = wish.level != 0 ? wish.level : batching_.default_priority_level;
  if (level == 0) level = std::max<int64_t>((batching_.priority_levels + 1) / 2, 1);
  request.level_ = level;

  const QueuePolicy& policy = batching_.policy_of(level);
  std::optional<int64_t> wait_ns = policy.timeout_ns;
  bool is_deadline = true;
  if (wish.timeout_ns && policy.allow_timeout_override &&
      (!wait_ns || *wish.timeout_ns < *wait_ns)) {
    wait_ns = wish.timeout_ns;
    is_deadline = policy.timeout_action == TimeoutAction::kReject;
  }
  const std::optional<int64_t> timeout_ns = wish.timeout_ns
                                                ? (is_deadline ? wish.timeout_ns : std::nullopt)
                                                : batching_.default_timeout_ns;
  request.queue_deadline_ns_ = wait_ns ? after(request.arrival_ns_, *wait_ns) : kNever;
  request.deadline_ns_ = timeout_ns ? after(request.arrival_ns_, *timeout_ns) : kNever;
}

std::string Scheduler::refusal(const Request& request) const {
  const int64_t waiting = queue_.size();
  if (waiting >= batching_.max_queue_size) {
    return full("the queue", waiting, "requests", batching_.max_queue_size, "max_queue_size");
  }
  const QueuePolicy& policy = batching_.policy_of(request.level_);
  if (policy.max_queue_size) {
    const int64_t in_level = queue_.size_of_level(request.level_);
    if (in_level >= *policy.max_queue_size) {
      return full("level " + std::to_string(request.level_) + " of the queue", in_level, "requests",
                  *policy.max_queue_size, "max_queue_size of its policy");
    }
  }
  if (batching_.max_queue_bytes && queue_.bytes() + request.bytes_ > *batching_.max_queue_bytes) {
    return "the queue is full: got a request of " + std::to_string(request.bytes_) +
           " bytes behind " + std::to_string(queue_.bytes()) + " waiting bytes, want at most " +
           std::to_string(*batching_.max_queue_bytes) + " in all (max_queue_bytes)";
  }
  return {};
}

int64_t Scheduler::bucket_of(int64_t length) const noexcept {
  if (!batching_.padding) return 0;
  const auto& buckets = batching_.padding->buckets;
  return std::ranges::lower_bound(buckets, length) - buckets.begin();
}

void Scheduler::accept(std::shared_ptr<Request> request, std::span<const TensorView> inputs,
                       const std::shared_ptr<LoadedModel>& model, int64_t tag) {
  RequestQueue::Placement placement{.model = model,
                                    .tag = tag,
                                    .padded_axis = std::nullopt,
                                    .segment_rows = batching_.max_batch_size};
  if (batching_.padding && !inputs.empty()) {
    placement.tag = bucket_of(longest(inputs, batching_.padding->axis));
    placement.padded_axis = batching_.padding->axis;
  }
  Request& accepted = *request;
  queue_.append(std::move(request), inputs, placement);
  try {
    due_.set(accepted, std::min(accepted.deadline_ns_, accepted.queue_deadline_ns_));
  } catch (...) {
    queue_.remove(accepted);
    throw;
  }
}

Scheduler::Choice Scheduler::choose(int64_t now_ns, bool draining) const noexcept {
  Choice wait;
  const auto& groups = queue_.groups();
  for (const auto& [order, group] : groups) {
    BatchCandidate candidate = group->candidate(batching_);
    candidate.others_wait = groups.size() > 1;
    const BatchDecision decision = decide_batch(candidate, now_ns, batching_, draining);
    if (decision.dispatch_requests > 0) return {group, decision};
    wait.decision.wait_until_ns = std::min(wait.decision.wait_until_ns, decision.wait_until_ns);
  }
  return wait;
}

Scheduler::Next Scheduler::next(int64_t now_ns, bool draining, Suits suits) {
  const Choice choice = choose(now_ns, draining);
  Next next;
  next.reason = choice.decision.reason;
  next.wait_until_ns = choice.decision.wait_until_ns;
  if (choice.group == nullptr) return next;
  if (suits != nullptr && !suits(*choice.group->key().model)) {
    next.wait_until_ns = now_ns;
    return next;
  }
  next.model = choice.group->key().model;
  next.requests = queue_.take(*choice.group, choice.decision.dispatch_requests);
  // Of those that are in the heap a place there is free: this allocates nothing.
  for (const auto& request : next.requests) due_.set(*request, request->deadline_ns_);
  return next;
}

Scheduler::Upcoming Scheduler::upcoming(int64_t now_ns, bool draining) const noexcept {
  const Choice choice = choose(now_ns, draining);
  if (choice.group == nullptr) return {choice.decision.wait_until_ns, nullptr, nullptr};
  return {now_ns, choice.group->first(), choice.group->key().model.get()};
}

BatchDecision Scheduler::decide_lone(int64_t rows) const noexcept {
  constexpr int64_t kNow = 0;
  BatchCandidate candidate{.requests = 1, .rows = rows, .oldest_arrival_ns = kNow};
  if (std::ranges::binary_search(batching_.preferred_batch_sizes, rows)) {
    candidate.preferred_requests = 1;
    candidate.preferred_rows = rows;
  }
  return decide_batch(candidate, kNow, batching_, false);
}

std::vector<std::shared_ptr<Request>> Scheduler::take_due(int64_t now_ns) {
  std::vector<std::shared_ptr<Request>> due;
  while (due_.earliest_ns() <= now_ns) {
    // All that can throw, before anything is taken out.
    if (due.size() == due.capacity()) due.reserve(2 * due.size() + 8);
    Request& request = *due_.pop(now_ns);
    const bool waits = request.group_ != nullptr;
    const bool behind = waits && request.deadline_ns_ > now_ns &&
                        batching_.policy_of(request.level_).timeout_action == TimeoutAction::kDelay;
    if (behind) {
      queue_.put_behind(request);
      due_.set(request, request.deadline_ns_);
      continue;
    }
    due.push_back(waits ? queue_.remove(request) : request.shared_from_this());
  }
  return due;
}

std::shared_ptr<Request> Scheduler::remove(Request& request) noexcept {
  std::shared_ptr<Request> removed = queue_.remove(request);
  if (removed) due_.remove(request);
  return removed;
}

std::vector<std::shared_ptr<Request>> Scheduler::take_all() {
  std::vector<std::shared_ptr<Request>> all = queue_.take_all();
  for (const auto& request : all) due_.remove(*request);
  return all;
}

}  // namespace inferometer
