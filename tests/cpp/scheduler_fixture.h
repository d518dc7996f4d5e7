// A scheduler to which a test says what time it is.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "queued_request.h"
#include "serving/scheduler.h"

namespace inferometer {

using Requests = std::vector<std::shared_ptr<Request>>;

/// As Scheduler::Wish.
struct Wish {
  int64_t level = 0;
  std::optional<int64_t> timeout_ns = {};
};

inline constexpr int64_t kDelay = 1000;

inline Batching batching_of(const std::function<void(Batching&)>& change = [](Batching&) {}) {
  Batching batching;
  batching.max_batch_size = 8;
  change(batching);
  return batching;
}
inline Batching levels(int64_t count, const QueuePolicy& of_all = {}) {
  return batching_of([&](Batching& b) {
    b.priority_levels = count;
    b.default_queue_policy = of_all;
  });
}
inline QueuePolicy waiting_for(std::optional<int64_t> timeout_ns,
                               TimeoutAction action = TimeoutAction::kReject) {
  QueuePolicy policy;
  policy.timeout_ns = timeout_ns;
  policy.timeout_action = action;
  return policy;
}
inline Batching delayed(std::vector<int64_t> preferred = {}) {
  return batching_of([&](Batching& b) {
    b.max_queue_delay_ns = kDelay;
    b.preferred_batch_sizes = std::move(preferred);
  });
}

class SchedulerTest : public testing::Test {
 protected:
  void set_up(const Batching& batching) {
    batching.check();
    scheduler_ = std::make_unique<Scheduler>(batching, pool_);
  }
  /// A request that arrives at now_, with its level and deadlines.
  std::shared_ptr<Request> prepared(const Wish& wish = {}, int64_t rows = 1) {
    auto request = make_request(rows, now_);
    scheduler_->prepare(*request, {wish.level, wish.timeout_ns});
    return request;
  }
  std::shared_ptr<Request> accept(const Wish& wish = {}, int64_t rows = 1, int64_t group = 0) {
    auto request = prepared(wish, rows);
    scheduler_->accept(request, {}, nullptr, group);
    return request;
  }
  std::shared_ptr<Request> accept_length(int64_t length) {
    auto request = prepared();
    const TensorView view{DType::kFloat32, Shape({1, length}), nullptr};
    scheduler_->accept(request, {&view, 1}, nullptr);
    return request;
  }
  Scheduler::Next next() { return scheduler_->next(now_, false); }
  Requests due() { return scheduler_->take_due(now_); }
  // The times at which a request's policy and its deadline act.
  static std::pair<int64_t, int64_t> times(Request& request) {
    return {request.*member(QueueDeadlineField{}), request.deadline_ns()};
  }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  int64_t now_ = 100;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace inferometer
