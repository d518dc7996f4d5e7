// Interleavings of the engine's threads, each forced: no test waits for time to pass, and one whose
// interleaving goes wrong hangs or fails. docs/architecture.md lists them. Here: requests that end
// early.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "race_fixture.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

// --- rows that are not there yet ---

TEST_F(EngineRacesTest, ASubmitterThatStopsBeforeCopyingHoldsUpItsOwnBatchAlone) {
  stop_.arm(RacePoint::kQueuedNotCopied);
  const auto engine = make_several({model_, model_}, batching_of(4));
  model_->open();
  const Rows large(1, 1, kLargeWidth);
  std::shared_ptr<Request> slow;
  std::thread submitter([&] { slow = engine->submit(large.inputs()); });
  stop_.await();  // its batch is on an instance, or about to be
  for (int id = 0; id < 20; ++id) {
    const Rows rows(id);
    const auto other = engine->submit(rows.inputs());
    EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
    EXPECT_TRUE(rows.doubled_by(*other));
  }
  stop_.go();
  submitter.join();
  EXPECT_EQ(outcome_of(slow), Outcome::kSuccess);
  EXPECT_TRUE(large.doubled_by(*slow));
}

TEST_F(EngineRacesTest, ARequestMayEndWhileItsRowsAreBeingCopied) {
  stop_.arm(RacePoint::kQueuedNotCopied);
  auto engine = make_rested(model_);
  model_->open();
  const Rows large(1, 1, kLargeWidth);
  std::shared_ptr<Request> request;
  std::thread submitter([&] { request = engine->submit(large.inputs()); });
  stop_.await();
  (void)engine->close(0);
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 1U);
  stop_.go();
  submitter.join();
  EXPECT_EQ(outcome_of(request), Outcome::kShutdown);
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 1U);
  EXPECT_EQ(counted(*engine, Outcome::kSuccess), 0U);
  engine.reset();
  while (model_.use_count() > 1) std::this_thread::yield();  // the worker that was left behind
}

// --- ending against starting ---

TEST_F(EngineRacesTest, ADeadlineThatPassesWhileItsBatchIsBeingFormed) {
  stop_.arm(RacePoint::kTaken);
  StoppedClock clock(steady_clock().now_ns());
  EngineOptions options = options_of(registry_);
  options.clock = &clock;
  Engine engine(model_, options);
  model_->open();
  const auto late = engine.submit(Rows(1).inputs(), with_timeout(kSoonNs));
  stop_.await();
  EXPECT_TRUE(late->running());
  clock.advance(2 * kSoonNs);
  EXPECT_EQ(outcome_of(late), Outcome::kTimeout);  // its batch has not reached the model
  EXPECT_TRUE(model_->seen().empty());
  stop_.go();
  EXPECT_TRUE(engine.drain(kLongNs));
  EXPECT_EQ(ended("timeout"), 1);
  EXPECT_EQ(ended("success"), 0);
  EXPECT_EQ(value("inference_in_flight"), 0);
}

TEST_F(EngineRacesTest, ACancellationThatMeetsTheStart) {
  stop_.arm(RacePoint::kTaken);
  const auto engine = make_rested(model_);
  model_->open();
  const auto request = engine->submit(Rows(1).inputs());
  stop_.await();
  EXPECT_FALSE(engine->cancel(request, false));  // it does not wait any more
  EXPECT_FALSE(request->ended());
  EXPECT_TRUE(engine->cancel(request, true));
  EXPECT_EQ(outcome_of(request), Outcome::kCancelled);
  stop_.go();
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_EQ(ended("cancelled"), 1);
  EXPECT_EQ(ended("success"), 0);
}

// --- put behind ---

class PutBehind : public EngineRacesTest {
 protected:
  // Nobody but who looks at the queue notices that the hour is over: the watch's clock goes on.
  PutBehind() {
    Batching batching;
    batching.default_queue_policy.timeout_ns = kHour;
    batching.default_queue_policy.timeout_action = TimeoutAction::kDelay;
    EngineOptions options = options_of(registry_, batching);
    options.clock = &clock_;
    options.inline_limit_ns = kHour;
    engine_ = make_of({model_}, options);
  }
  StoppedClock clock_{steady_clock().now_ns()};
  std::unique_ptr<Engine> engine_;
};

TEST_F(PutBehind, ByAWorkerThatGoesOnToTheirBatch) {
  const auto busy = engine_->submit(Rows(1).inputs());
  model_->await_runs(1);
  const auto behind = engine_->submit(Rows(2).inputs());
  clock_.advance(2 * kHour);
  model_->open();
  EXPECT_EQ(outcome_of(behind), Outcome::kSuccess);
  EXPECT_TRUE(engine_->drain(kLongNs));
}

TEST_F(PutBehind, ByALeaderThatGoesOnToTheirBatch) {
  model_->open();
  const auto request = engine_->submit(Rows(1).inputs(), leading());
  clock_.advance(2 * kHour);
  ASSERT_EQ(request->wait(), WaitStatus::kLead);
  engine_->lead(request);
  EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  EXPECT_TRUE(engine_->drain(kLongNs));
}

TEST_F(PutBehind, ByALoopThatGoesOnToTheirBatch) {
  model_->open();
  Unread answer;
  EXPECT_TRUE(engine_->try_run_here(Rows(0).inputs(), answer).ran);
  const auto request = engine_->submit(Rows(1).inputs(), later());
  clock_.advance(2 * kHour);
  flush(*engine_);
  const CompletionQueue loop;
  std::vector<std::shared_ptr<Request>> ended;
  EXPECT_EQ(engine_->flush(loop, ended, kHour), FlushStatus::kDone);
  EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  EXPECT_TRUE(engine_->drain(kLongNs));
}

// --- leaving makes a batch ---

TEST_F(EngineRacesTest, WhatIsLeftByACancelledRequestMayHaveAPreferredSize) {
  Batching batching = batching_of(64, kHour);
  batching.preferred_batch_sizes = {4, 32};
  const auto engine = make_rested(model_, batching);
  model_->open();
  const auto three = engine->submit(Rows(1, 3).inputs());
  const auto four = engine->submit(Rows(10, 4).inputs());
  EXPECT_TRUE(engine->cancel(three, false));
  EXPECT_EQ(outcome_of(four), Outcome::kSuccess);
  EXPECT_EQ(batches("preferred"), 1);
}

TEST_F(EngineRacesTest, WhatIsLeftByALateRequestMayHaveAPreferredSize) {
  Batching batching = batching_of(64, kHour);
  batching.preferred_batch_sizes = {4, 32};
  const auto engine = make_rested(model_, batching);
  model_->open();
  const auto three = engine->submit(Rows(1, 3).inputs(), with_timeout(50 * kSoonNs));
  const auto four = engine->submit(Rows(10, 4).inputs());
  EXPECT_EQ(outcome_of(four), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(three), Outcome::kTimeout);
}

}  // namespace
}  // namespace inferometer
