// The rules of docs/batching.md that are neither a batch's (batch_policy_test.cc) nor the order of
// the queue (request_queue_test.cc).
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fake_models.h"
#include "inferometer/errors.h"
#include "scheduler_fixture.h"
#include "serving/loaded_model.h"

namespace inferometer {
namespace {

// Levels.

TEST_F(SchedulerTest, ARequestWithoutAPriorityGetsTheMiddleLevel) {
  for (const auto& [count, middle] : {std::pair{0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}}) {
    set_up(levels(count));
    EXPECT_EQ(prepared()->level(), middle) << count << " levels";
  }
}

TEST_F(SchedulerTest, TheDefaultLevelMayBeSet) {
  Batching batching = levels(5);
  batching.default_priority_level = 5;
  set_up(batching);
  EXPECT_EQ(prepared()->level(), 5);
  EXPECT_EQ(prepared({.level = 1})->level(), 1);
}

TEST_F(SchedulerTest, ALevelThatDoesNotExistIsAnError) {
  const auto complaint = [&](int64_t level) -> std::string {
    try {
      (void)prepared({.level = level});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  set_up(levels(2));
  EXPECT_EQ(complaint(2), "");
  EXPECT_EQ(complaint(3), "priority: got 3, want 0 to 2 (priority_levels)");
  EXPECT_EQ(complaint(-1), "priority: got -1, want 0 to 2 (priority_levels)");
  set_up(levels(0));
  EXPECT_EQ(complaint(1), "priority: got 1, want 0 to 0 (priority_levels)");
}

TEST_F(SchedulerTest, LevelsShareABatchInTheirOrder) {
  set_up(levels(2));
  const auto low = accept({.level = 2});
  const auto high = accept({.level = 1});
  EXPECT_EQ(next().requests, (Requests{high, low}));
}

// Refusals.

TEST_F(SchedulerTest, AFullQueueRefuses) {
  set_up(batching_of([](Batching& b) { b.max_queue_size = 2; }));
  accept();
  EXPECT_EQ(scheduler_->refusal(*prepared()), "");
  accept();
  EXPECT_EQ(scheduler_->refusal(*prepared()),
            "the queue is full: got 2 waiting requests, want fewer than 2 (max_queue_size)");
  (void)next();  // what is with the model does not count
  EXPECT_EQ(scheduler_->refusal(*prepared()), "");
}

TEST_F(SchedulerTest, AFullLevelRefusesAndNoOther) {
  Batching batching = levels(2);
  batching.priority_queue_policy[2].max_queue_size = 1;
  set_up(batching);
  accept({.level = 1});
  accept({.level = 1});
  EXPECT_EQ(scheduler_->refusal(*prepared({.level = 2})), "");
  const auto waits = accept({.level = 2});
  EXPECT_EQ(scheduler_->refusal(*prepared({.level = 2})),
            "level 2 of the queue is full: got 1 waiting requests, want fewer than 1 "
            "(max_queue_size of its policy)");
  EXPECT_EQ(scheduler_->refusal(*prepared({.level = 1})), "");
  scheduler_->remove(*waits);
  EXPECT_EQ(scheduler_->refusal(*prepared({.level = 2})), "");
}

TEST_F(SchedulerTest, WhatWasPutBehindStillCountsInItsLevel) {
  QueuePolicy policy = waiting_for(10, TimeoutAction::kDelay);
  policy.max_queue_size = 1;
  set_up(levels(2, policy));
  accept({.level = 1});
  now_ += 10;
  EXPECT_TRUE(due().empty());
  EXPECT_NE(scheduler_->refusal(*prepared({.level = 1})), "");
}

TEST_F(SchedulerTest, BytesThatWouldNotFitAreRefused) {
  set_up(batching_of([](Batching& b) { b.max_queue_bytes = 100; }));
  const auto of_bytes = [&](int64_t bytes) {
    auto request = prepared();
    (*request).*member(BytesField{}) = bytes;
    return request;
  };
  EXPECT_EQ(scheduler_->refusal(*of_bytes(100)), "");
  EXPECT_NE(scheduler_->refusal(*of_bytes(101)), "");  // not even alone
  const auto sixty = of_bytes(60);
  scheduler_->accept(sixty, {}, nullptr);
  EXPECT_EQ(scheduler_->refusal(*of_bytes(40)), "");
  EXPECT_EQ(scheduler_->refusal(*of_bytes(41)),
            "the queue is full: got a request of 41 bytes behind 60 waiting bytes, want at most "
            "100 in all (max_queue_bytes)");
  scheduler_->remove(*sixty);
  EXPECT_EQ(scheduler_->refusal(*of_bytes(41)), "");
}

// Deadlines and what policies make of them.

TEST_F(SchedulerTest, ATimeoutIsADeadlineFromArrival) {
  set_up(batching_of([](Batching& b) { b.default_timeout_ns = 50; }));
  EXPECT_EQ(prepared()->deadline_ns(), 150);
  EXPECT_EQ(prepared({.timeout_ns = 20})->deadline_ns(), 120);
  EXPECT_EQ(prepared({.timeout_ns = 70})->deadline_ns(), 170);
  EXPECT_EQ(prepared({.timeout_ns = -5})->deadline_ns(), 100);  // already late
  EXPECT_EQ(prepared({.timeout_ns = kNever})->deadline_ns(), kNever);
  set_up(batching_of());
  EXPECT_EQ(prepared()->deadline_ns(), kNever);
}

struct OverrideCase {
  std::optional<int64_t> policy_timeout;
  TimeoutAction action;
  bool allow;
  std::optional<int64_t> own_timeout;
  // Counted from arrival.
  int64_t want_policy;
  int64_t want_deadline;
};

TEST_F(SchedulerTest, AnOwnTimeoutMayTakeThePlaceOfThePolicys) {
  constexpr auto kReject = TimeoutAction::kReject;
  constexpr auto kDelayed = TimeoutAction::kDelay;
  constexpr int64_t kNone = kNever - 100;
  const std::vector<OverrideCase> cases = {
      // Without leave it is a deadline beside the policy's timeout; the default is 50.
      {30, kReject, false, 20, 30, 20},
      {30, kDelayed, false, 20, 30, 20},
      {30, kDelayed, false, {}, 30, 50},
      {{}, kDelayed, false, 20, kNone, 20},
      // With leave the smaller one counts, and is no deadline where the policy only delays.
      {30, kReject, true, 20, 20, 20},
      {30, kDelayed, true, 20, 20, kNone},
      {30, kReject, true, 40, 30, 40},
      {30, kDelayed, true, 40, 30, 40},
      {30, kDelayed, true, 30, 30, 30},
      {{}, kReject, true, 20, 20, 20},
      {{}, kDelayed, true, 20, 20, kNone},
      {30, kDelayed, true, {}, 30, 50},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const OverrideCase& c = cases[i];
    QueuePolicy policy = waiting_for(c.policy_timeout, c.action);
    policy.allow_timeout_override = c.allow;
    Batching batching = levels(0, policy);
    batching.default_timeout_ns = 50;
    set_up(batching);
    const auto [acts, deadline] = times(*prepared({.timeout_ns = c.own_timeout}));
    EXPECT_EQ(acts, 100 + c.want_policy) << "case " << i;
    EXPECT_EQ(deadline, 100 + c.want_deadline) << "case " << i;
  }
}

TEST_F(SchedulerTest, WhatIsDueComesOutAtItsVeryTimeEarliestFirst) {
  set_up(delayed());
  const auto later = accept({.timeout_ns = 30});
  const auto sooner = accept({.timeout_ns = 20});
  accept();
  EXPECT_EQ(scheduler_->next_due_ns(), 120);
  now_ = 119;
  EXPECT_TRUE(due().empty());
  now_ = 120;
  EXPECT_EQ(due(), (Requests{sooner}));
  EXPECT_EQ(scheduler_->size(), 2);
  now_ = 500;
  EXPECT_EQ(due(), (Requests{later}));
  EXPECT_EQ(scheduler_->next_due_ns(), kNever);
}

TEST_F(SchedulerTest, ADeadlineIsWatchedUntilTheRequestIsForgotten) {
  set_up(batching_of());
  const auto a = accept({.timeout_ns = 20});
  const auto b = accept({.timeout_ns = 30});
  EXPECT_EQ(next().requests.size(), 2U);
  EXPECT_EQ(scheduler_->next_due_ns(), 120);  // it runs, and its time still passes
  scheduler_->forget(*a);
  EXPECT_EQ(scheduler_->next_due_ns(), 130);
  now_ = 130;
  EXPECT_EQ(due(), (Requests{b}));
}

TEST_F(SchedulerTest, APolicysTimeoutIsOverOnceTheRequestRuns) {
  set_up(levels(0, waiting_for(10)));
  accept();
  accept({.timeout_ns = 50});
  EXPECT_EQ(scheduler_->next_due_ns(), 110);
  EXPECT_EQ(next().requests.size(), 2U);
  EXPECT_EQ(scheduler_->next_due_ns(), 150);  // the deadline alone
}

TEST_F(SchedulerTest, ARejectingPolicyEndsWhatWaitedTooLong) {
  set_up(levels(0, waiting_for(10)));
  const auto request = accept({.timeout_ns = 50});
  now_ = 110;
  EXPECT_EQ(due(), (Requests{request}));
  EXPECT_TRUE(scheduler_->empty());
  EXPECT_EQ(scheduler_->next_due_ns(), kNever);
}

TEST_F(SchedulerTest, ADelayingPolicyPutsBehindOnceAndTheDeadlineStays) {
  Batching batching = levels(2);
  batching.max_batch_size = 1;
  batching.priority_queue_policy[1] = waiting_for(10, TimeoutAction::kDelay);
  set_up(batching);
  const auto late = accept({.level = 1, .timeout_ns = 50});
  const auto later = accept({.level = 1});
  const auto low = accept({.level = 2});
  now_ = 110;
  const auto fresh = accept({.level = 1});
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(scheduler_->next_due_ns(), 120);  // the fresh one's; the late are not put behind again
  EXPECT_EQ(next().requests, (Requests{fresh}));
  EXPECT_EQ(next().requests, (Requests{low}));
  EXPECT_EQ(scheduler_->next_due_ns(), 150);
  now_ = 150;
  EXPECT_EQ(due(), (Requests{late}));
  EXPECT_EQ(next().requests, (Requests{later}));
}

TEST_F(SchedulerTest, ADeadlineThatIsDueWithAPolicysDelayEndsTheRequest) {
  set_up(levels(0, waiting_for(10, TimeoutAction::kDelay)));
  const auto request = accept({.timeout_ns = 10});
  now_ = 110;
  EXPECT_EQ(due(), (Requests{request}));
}

TEST_F(SchedulerTest, WhatLeavesIsNotWatchedAnyMore) {
  set_up(batching_of());
  const auto a = accept({.timeout_ns = 10});
  EXPECT_EQ(scheduler_->remove(*a), a);
  EXPECT_EQ(scheduler_->remove(*a), nullptr);
  EXPECT_EQ(scheduler_->next_due_ns(), kNever);
  const auto b = accept({.timeout_ns = 10});
  const auto c = accept({}, 1, 5);
  EXPECT_EQ(scheduler_->take_all(), (Requests{b, c}));
  EXPECT_EQ(scheduler_->next_due_ns(), kNever);
}

TEST_F(SchedulerTest, WithoutMemoryNothingIsWatched) {
  set_up(batching_of());
  const TensorView view{DType::kFloat32, Shape({1, int64_t{1} << 58}), nullptr};
  EXPECT_THROW(scheduler_->accept(prepared({.timeout_ns = 1}), {&view, 1}, nullptr),
               std::bad_alloc);
  EXPECT_EQ(scheduler_->next_due_ns(), kNever);
  EXPECT_TRUE(scheduler_->empty());
}

// Which group goes, and when.

TEST_F(SchedulerTest, AFullDelayIsPaidOnlyWhereADelayWasAskedFor) {
  set_up(batching_of());
  accept();
  EXPECT_EQ(scheduler_->upcoming(now_, false).release_ns, now_);
  EXPECT_EQ(next().reason, ReleaseReason::kIdle);
  set_up(delayed());
  const auto request = accept();
  now_ += kDelay - 1;
  EXPECT_EQ(scheduler_->upcoming(now_, false).release_ns, 100 + kDelay);
  EXPECT_EQ(scheduler_->upcoming(now_, false).first, nullptr);
  EXPECT_EQ(next().wait_until_ns, 100 + kDelay);
  EXPECT_EQ(scheduler_->upcoming(now_, true).first, request.get());  // unless it is drained
  now_ += 1;
  EXPECT_EQ(scheduler_->upcoming(now_, false).first, request.get());
  EXPECT_EQ(next().reason, ReleaseReason::kDelay);
  EXPECT_EQ(scheduler_->upcoming(now_, false).release_ns, kNever);
  EXPECT_EQ(next().wait_until_ns, kNever);
}

TEST_F(SchedulerTest, TheFirstGroupThatIsReleasedGoesNotTheFirst) {
  Batching batching = delayed();
  batching.padding = Padding{.buckets = {4}};  // every group waits for its own company
  set_up(batching);
  const auto first = accept({}, 3, 1);
  now_ += 5;
  const auto full = accept({}, 8, 2);
  EXPECT_EQ(scheduler_->upcoming(now_, false).first, full.get());
  EXPECT_EQ(next().requests, (Requests{full}));
  EXPECT_EQ(next().wait_until_ns, 100 + kDelay);
  accept({}, 1, 3);
  EXPECT_EQ(next().wait_until_ns, 100 + kDelay);  // the earliest of several
}

TEST_F(SchedulerTest, LengthsBelongToTheFirstBucketThatIsNotSmaller) {
  Batching batching = delayed();
  batching.padding = Padding{.buckets = {4, 8}};
  set_up(batching);
  const Requests to_four = {accept_length(1), accept_length(4)};
  const Requests to_eight = {accept_length(5), accept_length(8)};
  const Requests beyond = {accept_length(9), accept_length(999)};
  for (const Requests& bucket : {to_four, to_eight, beyond}) {
    EXPECT_EQ(scheduler_->next(now_, true).requests, bucket);
  }
}

TEST_F(SchedulerTest, WithoutBucketsAllLengthsShareABatchAndOthersPushItOut) {
  Batching batching = delayed();
  batching.padding = Padding{};
  set_up(batching);
  const Requests all = {accept_length(1), accept_length(999)};
  EXPECT_TRUE(next().requests.empty());
  accept();  // of another group
  const Scheduler::Next got = next();
  EXPECT_EQ(got.requests, all);
  EXPECT_EQ(got.reason, ReleaseReason::kShape);
}

TEST_F(SchedulerTest, ABatchIsOfOneModelAndOneThatNobodyWaitsForIsLetGo) {
  set_up(batching_of());
  std::vector<std::shared_ptr<LoadedModel>> models;
  for (int i = 0; i < 2; ++i) {
    models.push_back(std::make_shared<LoadedModel>(
        std::vector<std::shared_ptr<Executable>>{std::make_shared<EchoModel>()}));
    scheduler_->accept(prepared(), {}, models.back());
  }
  const auto none = [](const LoadedModel&) { return false; };
  EXPECT_TRUE(scheduler_->next(now_, false, none).requests.empty());
  EXPECT_EQ(next().model, models[0]);
  EXPECT_EQ(models[0].use_count(), 1);  // its group went with its last request
  EXPECT_EQ(next().model, models[1]);
  EXPECT_GT(models[1].use_count(), 1);  // kept for the next request like the last
  scheduler_->forget_idle_models();
  EXPECT_EQ(models[1].use_count(), 1);
}

// The decision about a request that is alone.

TEST_F(SchedulerTest, ALoneRequestGoesUnlessItShouldWaitForCompany) {
  const auto lone = [&](int64_t rows) { return scheduler_->decide_lone(rows); };
  set_up(batching_of());
  EXPECT_EQ(lone(3).dispatch_requests, 1);
  EXPECT_EQ(lone(3).reason, ReleaseReason::kIdle);
  EXPECT_EQ(lone(8).reason, ReleaseReason::kFull);
  set_up(delayed({2, 4}));
  EXPECT_EQ(lone(1).dispatch_requests, 0);
  EXPECT_EQ(lone(1).wait_until_ns, kDelay);  // from its arrival
  EXPECT_EQ(lone(2).reason, ReleaseReason::kPreferred);
  EXPECT_EQ(lone(3).dispatch_requests, 0);
  EXPECT_EQ(lone(5).reason, ReleaseReason::kPreferred);  // more than the largest
  EXPECT_EQ(lone(8).reason, ReleaseReason::kFull);
}

// Changes while requests wait.

TEST_F(SchedulerTest, AShorterDelayCountsForWhatWaits) {
  set_up(delayed());
  accept();
  now_ += 10;
  EXPECT_TRUE(next().requests.empty());
  scheduler_->reconfigure(batching_of([](Batching& b) { b.max_queue_delay_ns = 10; }));
  EXPECT_EQ(next().reason, ReleaseReason::kDelay);
}

TEST_F(SchedulerTest, ARequestLargerThanTheNewLimitGoesAlone) {
  set_up(delayed());
  const auto large = accept({}, 5);
  const auto one = accept();
  scheduler_->reconfigure(batching_of([](Batching& b) { b.max_batch_size = 2; }));
  const Scheduler::Next first = next();
  EXPECT_EQ(first.requests, (Requests{large}));
  EXPECT_EQ(first.reason, ReleaseReason::kFull);
  EXPECT_EQ(next().requests, (Requests{one}));
}

TEST_F(SchedulerTest, WhatWaitsInALevelThatIsNoMoreIsServedAsBefore) {
  const QueuePolicy policy = waiting_for(10, TimeoutAction::kDelay);
  set_up(levels(4, policy));
  const auto lowest = accept({.level = 4, .timeout_ns = 40});
  const auto high = accept({.level = 1});
  scheduler_->reconfigure(levels(0, policy));
  const auto fresh = accept();
  EXPECT_EQ(fresh->level(), 1);
  EXPECT_EQ(scheduler_->next_due_ns(), 110);
  EXPECT_EQ(next().requests, (Requests{high, fresh, lowest}));
  EXPECT_EQ(scheduler_->next_due_ns(), 140);
}

}  // namespace
}  // namespace inferometer
