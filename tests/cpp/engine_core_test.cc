// How requests end outside their batch: cancelled, late, drained, shut down.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "idle_workers.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

class EngineCoreTest : public EngineFixture {
 protected:
  /// Holds the model of `engine` busy with one request, until model_ lets go.
  std::shared_ptr<Request> occupy(Engine& engine) {
    auto request = engine.submit(Rows(1000).inputs());
    model_->await_runs(1);
    return request;
  }
  static Outcome outcome_of(const std::shared_ptr<Request>& request) {
    EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
    return request->outcome();
  }
  static Batching waiting() {
    Batching batching;
    batching.max_queue_delay_ns = kHour;
    return batching;
  }

  const std::shared_ptr<GatedModel> model_ = std::make_shared<GatedModel>();
};

TEST_F(EngineCoreTest, CancelledWhileQueuedNeverReachesTheModel) {
  const auto engine = make(model_);
  const auto busy = occupy(*engine);
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 5; ++id) requests.push_back(engine->submit(Rows(id).inputs()));
  for (const size_t i : {0U, 2U, 4U}) {  // the first, one in the middle, the last
    EXPECT_TRUE(engine->cancel(requests[i], false));
    EXPECT_FALSE(engine->cancel(requests[i], true));
    EXPECT_TRUE(requests[i]->ended());
    EXPECT_EQ(requests[i]->outcome(), Outcome::kCancelled);
    EXPECT_EQ(requests[i]->timing().queue_ns, requests[i]->timing().total_ns);
  }
  EXPECT_EQ(value("inference_queue_depth"), 2);
  EXPECT_EQ(ended("cancelled"), 3);
  model_->open();
  EXPECT_EQ(outcome_of(requests[1]), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(requests[3]), Outcome::kSuccess);
  EXPECT_TRUE(Rows(1).doubled_by(*requests[1]));
  EXPECT_TRUE(Rows(3).doubled_by(*requests[3]));
  EXPECT_EQ(model_->seen()[1].ids, (std::vector<float>{1, 3}));
  EXPECT_FALSE(engine->cancel(requests[1], true));
  EXPECT_EQ(value("inference_wasted_seconds_total"), 0);
}

TEST_F(EngineCoreTest, CancellingWhileItRunsWastesItsShareOfTheCompute) {
  const auto engine = make(model_);
  const auto busy = occupy(*engine);
  EXPECT_FALSE(engine->cancel(busy, false));
  EXPECT_TRUE(engine->cancel(busy, true));
  EXPECT_FALSE(engine->cancel(busy, true));
  EXPECT_EQ(outcome_of(busy), Outcome::kCancelled);  // the model is still at it
  EXPECT_EQ(busy->timing().batch_size, 1);
  EXPECT_TRUE(busy->outputs().empty());
  EXPECT_EQ(value("inference_in_flight"), 1);
  const auto three = engine->submit(Rows(1, 3).inputs());
  const auto one = engine->submit(Rows(9).inputs());
  model_->release();
  model_->await_runs(2);
  const double first = value("inference_compute_seconds_sum");
  EXPECT_DOUBLE_EQ(value("inference_wasted_seconds_total"), first);
  EXPECT_TRUE(engine->cancel(three, true));
  model_->open();
  EXPECT_EQ(outcome_of(one), Outcome::kSuccess);
  EXPECT_TRUE(Rows(9).doubled_by(*one));
  const double second = value("inference_compute_seconds_sum") - first;
  EXPECT_NEAR(value("inference_wasted_seconds_total"), first + 0.75 * second, 2e-9);
}

// The rest makes exactly a preferred batch, which two of three did not.
TEST_F(EngineCoreTest, WhatIsCancelledMayReleaseTheRest) {
  Batching batching = waiting();
  batching.preferred_batch_sizes = {4, 16};
  model_->open();
  const auto engine = make(model_, batching);
  const auto a = engine->submit(Rows(1, 2).inputs());
  const auto b = engine->submit(Rows(3, 3).inputs());
  const auto c = engine->submit(Rows(6, 2).inputs());
  await_idle_workers();  // for an hour
  EXPECT_TRUE(engine->cancel(b, false));
  EXPECT_EQ(outcome_of(a), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(c), Outcome::kSuccess);
  EXPECT_EQ(batches("preferred"), 1);
}

TEST_F(EngineCoreTest, WhatIsLateMayReleaseTheRest) {
  Batching batching = waiting();
  batching.preferred_batch_sizes = {4, 16};
  model_->open();
  const auto engine = make(model_, batching);
  const auto a = engine->submit(Rows(1, 2).inputs());
  const auto late = engine->submit(Rows(3, 3).inputs(), with_timeout(kSoonNs));
  const auto c = engine->submit(Rows(6, 2).inputs());
  EXPECT_EQ(outcome_of(a), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(c), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(late), Outcome::kTimeout);
  EXPECT_EQ(batches("preferred"), 1);
}

// A worker may find it out before the deadline watch does.
TEST_F(EngineCoreTest, WhoPutsRequestsBehindGoesOnToRunThem) {
  StoppedClock clock(steady_clock().now_ns());
  EngineOptions options = options_of(registry_);
  options.batching.default_queue_policy.timeout_ns = kHour;
  options.batching.default_queue_policy.timeout_action = TimeoutAction::kDelay;
  options.clock = &clock;
  Engine engine(model_, options);
  const auto busy = occupy(engine);
  const auto late = engine.submit(Rows(1).inputs());
  clock.advance(2 * kHour);  // by which the watch, on the real clock, is not woken
  model_->open();
  EXPECT_EQ(outcome_of(late), Outcome::kSuccess);
  EXPECT_TRUE(engine.drain(kLongNs));
}

TEST_F(EngineCoreTest, AnotherEnginesRequestIsNotCancelled) {
  const auto engine = make(std::make_shared<EchoModel>(), waiting());
  Engine other(std::make_shared<EchoModel>(), options_of(nullptr));
  const auto request = engine->submit(Rows(1).inputs());
  EXPECT_FALSE(other.cancel(request, true));
  EXPECT_TRUE(engine->cancel(request, false));
}

TEST_F(EngineCoreTest, ARequestExpiresAtItsTimeWhileTheModelIsBusy) {
  const auto engine = make(model_);
  const auto busy = occupy(*engine);
  const auto later = engine->submit(Rows(1).inputs(), with_timeout(kLongNs));
  const auto late = engine->submit(Rows(2).inputs(), with_timeout(kSoonNs));
  const auto patient = engine->submit(Rows(3).inputs());
  EXPECT_EQ(outcome_of(late), Outcome::kTimeout);
  EXPECT_GE(late->timing().total_ns, kSoonNs);
  EXPECT_FALSE(busy->ended());
  EXPECT_EQ(value("inference_queue_depth"), 2);
  EXPECT_EQ(ended("timeout"), 1);
  model_->open();
  EXPECT_EQ(outcome_of(later), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(patient), Outcome::kSuccess);
  EXPECT_EQ(model_->seen()[1].ids, (std::vector<float>{1, 3}));
}

TEST_F(EngineCoreTest, ARequestExpiresAtItsTimeWhileItRuns) {
  StoppedClock clock(steady_clock().now_ns());
  EngineOptions options = options_of(registry_);
  options.clock = &clock;
  Engine engine(model_, options);
  const auto late = engine.submit(Rows(1).inputs(), with_timeout(kSoonNs));
  const auto other = engine.submit(Rows(2).inputs(), with_timeout(kLongNs));
  model_->await_runs(1);  // the clock stands still, so it came in time
  EXPECT_TRUE(late->running());
  clock.advance(2 * kSoonNs);
  EXPECT_EQ(outcome_of(late), Outcome::kTimeout);
  EXPECT_EQ(late->timing().total_ns, 2 * kSoonNs);
  EXPECT_FALSE(other->ended());
  EXPECT_EQ(ended("timeout"), 1);
  model_->open();
  EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
  EXPECT_EQ(ended("timeout"), 1);
}

TEST_F(EngineCoreTest, DrainingFinishesWhatWasAccepted) {
  const auto engine = make(model_, waiting());
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 3; ++id) requests.push_back(engine->submit(Rows(id).inputs()));
  EXPECT_FALSE(engine->drain(0));
  EXPECT_FALSE(engine->drain(-1));
  EXPECT_FALSE(engine->drain(kSoonNs));  // the model holds it up
  EXPECT_FALSE(engine->ready());
  EXPECT_FALSE(engine->closed());
  EXPECT_THROW((void)engine->submit(Rows(9).inputs()), ClosedError);
  model_->open();
  EXPECT_TRUE(engine->drain(kNever));
  for (const auto& request : requests) EXPECT_EQ(request->outcome(), Outcome::kSuccess);
  EXPECT_EQ(batches("drain"), 1);
  EXPECT_EQ(ended("rejected"), 0);
  EXPECT_TRUE(engine->drain(0));
}

TEST_F(EngineCoreTest, DrainingEndsWhenTheLastRequestIsCancelledOrLate) {
  const auto engine = make(std::make_shared<EchoModel>(), waiting());
  const auto late = engine->submit(Rows(1).inputs(), with_timeout(0));
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_TRUE(late->ended());
}

TEST_F(EngineCoreTest, ClosingEndsEverythingAndWakesAllWhoWait) {
  auto engine = make(model_);
  std::vector<std::shared_ptr<Request>> requests = {occupy(*engine)};
  for (int id = 0; id < 4; ++id) requests.push_back(engine->submit(Rows(id).inputs()));
  std::vector<std::thread> waiters;
  for (const auto& request : requests) {
    waiters.emplace_back([&] { EXPECT_EQ(outcome_of(request), Outcome::kShutdown); });
  }
  EXPECT_FALSE(engine->close(kSoonNs));  // the model has not returned
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_TRUE(engine->closed());
  EXPECT_THROW((void)engine->submit(Rows(9).inputs()), ClosedError);
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kShutdown)], 5U);
  EXPECT_FALSE(engine->close(0));
  const std::weak_ptr<Request> running = requests[0];
  requests.clear();
  EXPECT_FALSE(running.expired());  // it is with the model
  model_->open();
  engine.reset();
  while (model_.use_count() > 1) std::this_thread::yield();
  EXPECT_TRUE(running.expired());
  EXPECT_EQ(model_->seen().size(), 1U);
}

TEST_F(EngineCoreTest, AnEngineMayBeClosedManyTimesAtOnce) {
  const auto engine = make(model_);
  const auto busy = occupy(*engine);
  const auto queued = engine->submit(Rows(1).inputs());
  std::vector<std::thread> closers;
  for (int t = 0; t < 4; ++t) {
    closers.emplace_back([&] { EXPECT_TRUE(engine->close(kLongNs)); });
  }
  EXPECT_EQ(outcome_of(queued), Outcome::kShutdown);
  EXPECT_EQ(outcome_of(busy), Outcome::kShutdown);
  model_->open();
  for (std::thread& closer : closers) closer.join();
  EXPECT_TRUE(engine->close(0));
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kShutdown)], 2U);
}

TEST_F(EngineCoreTest, AModelMayCloseItsEngineAndNeverWaitsForItself) {
  std::unique_ptr<Engine> engine;
  std::atomic<bool> right{false};
  engine = make(std::make_shared<ScriptedModel>([&](Batch&) {
    right = engine->on_worker_thread() && !engine->drain(kLongNs) && engine->close(kLongNs) &&
            engine->close(kLongNs);
    return true;
  }));
  EXPECT_FALSE(engine->on_worker_thread());
  const auto request = engine->submit(Rows(1).inputs());
  EXPECT_EQ(outcome_of(request), Outcome::kShutdown);
  EXPECT_TRUE(engine->close(kLongNs));
  EXPECT_TRUE(right);
}

TEST_F(EngineCoreTest, AModelThatWasLeftBehindMayCloseItsEngineToo) {
  std::unique_ptr<Engine> engine;
  Mutex mutex;
  CondVar changed;
  bool left_behind = false;
  bool returned = false;
  const auto model = std::make_shared<ScriptedModel>([&](Batch&) {
    MutexLock lock(mutex);
    while (!left_behind) changed.wait(mutex);
    EXPECT_TRUE(engine->close(kLongNs));
    returned = true;
    changed.notify_all();
    return true;
  });
  engine = make(model);
  const auto request = engine->submit(Rows(1).inputs());
  while (!request->running()) std::this_thread::yield();
  EXPECT_FALSE(engine->close(0));
  {
    MutexLock lock(mutex);
    left_behind = true;
    changed.notify_all();
    while (!returned) changed.wait(mutex);
  }
  engine.reset();
  while (model.use_count() > 1) std::this_thread::yield();
}

TEST_F(EngineCoreTest, TheLastHandleToTheEngineMayGoWithARequestThatExpires) {
  for (int round = 0; round < 30; ++round) {
    auto model = std::make_shared<EchoModel>();
    SubmitOptions options = with_timeout(kSoonNs);
    {
      const std::shared_ptr<Engine> engine = make(model, waiting());
      options.attachment = engine;
      (void)engine->submit(Rows(1).inputs(), options);
    }
    options = {};
    while (model.use_count() > 1) std::this_thread::yield();
    EXPECT_EQ(value("inference_queue_depth"), -1);
  }
}

TEST_F(EngineCoreTest, TheLastHandleToTheEngineMayGoWithARequestThatRan) {
  SubmitOptions options;
  {
    const std::shared_ptr<Engine> engine = make(model_);
    options.attachment = engine;
    (void)engine->submit(Rows(1).inputs(), options);
  }
  options = {};
  model_->open();
  while (model_.use_count() > 1) std::this_thread::yield();
  EXPECT_EQ(value("inference_queue_depth"), -1);
}

}  // namespace
}  // namespace inferometer
