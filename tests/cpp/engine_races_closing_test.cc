// Forced interleavings: the engine's end, other models and rules, workers and loops.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "race_fixture.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

// --- closing and draining ---

TEST_F(EngineRacesTest, ALoneCallThatIsClosedOnItsCallersThread) {
  const auto engine = make_rested(model_);
  EndedCall call;
  std::thread caller([&] {
    Unread answer;
    call = engine->try_run_here(Rows(1, 3).inputs(), answer);
  });
  model_->await_runs(1);
  EXPECT_FALSE(engine->close(0));
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 1U);
  model_->open();
  caller.join();
  EXPECT_TRUE(call.ran);
  EXPECT_EQ(call.outcome, Outcome::kShutdown);
  EXPECT_EQ(call.error, nullptr);
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 1U);
  EXPECT_EQ(counted(*engine, Outcome::kSuccess), 0U);
  EXPECT_EQ(engine->stats().in_flight, 0);
  EXPECT_TRUE(engine->close(kLongNs));
}

TEST_F(EngineRacesTest, ALedBatchThatIsClosed) {
  const auto engine = make_rested(model_);
  const auto request = engine->submit(Rows(1).inputs(), leading());
  std::thread caller = caller_of(*engine, request);
  model_->await_runs(1);
  EXPECT_FALSE(engine->close(0));
  EXPECT_EQ(outcome_of(request), Outcome::kShutdown);  // the model is still at it
  model_->open();
  caller.join();
  EXPECT_TRUE(engine->close(kLongNs));
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 1U);
  EXPECT_EQ(counted(*engine, Outcome::kSuccess), 0U);
  EXPECT_EQ(engine->stats().in_flight, 0);
}

TEST_F(EngineRacesTest, AModelThatDrainsItsEngineOnAnyThreadIsToldAtOnce) {
  enum class Way : uint8_t { kLed, kWorker, kLone };
  for (const Way way : {Way::kLed, Way::kWorker, Way::kLone}) {
    std::unique_ptr<Engine> engine;
    std::atomic<int> refused{0};
    EngineOptions options = options_of(registry_);
    options.inputs = kAnyWidth;
    engine = make_of({std::make_shared<ScriptedModel>([&](Batch&) {
                       EXPECT_TRUE(engine->on_worker_thread());
                       refused += engine->drain(kNever) ? 0 : 1;
                       return true;
                     })},
                     options);
    const Rows rows(1);
    if (way == Way::kLone) {
      Unread answer;
      EXPECT_TRUE(engine->try_run_here(rows.inputs(), answer).ran);
    } else {
      const bool led = way == Way::kLed;
      const auto request = engine->submit(rows.inputs(), led ? leading() : SubmitOptions{});
      if (led) {
        ASSERT_EQ(request->wait(), WaitStatus::kLead);
        engine->lead(request);
      }
      EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
    }
    EXPECT_EQ(refused, 1);
    EXPECT_TRUE(engine->drain(kLongNs));
    EXPECT_FALSE(engine->on_worker_thread());
  }
}

TEST_F(EngineRacesTest, TheLastHandleToTheEngineMayGoWithAQueueThatNobodyTookFrom) {
  std::weak_ptr<Request> ended;
  {
    const std::shared_ptr<Engine> engine = make_rested(model_);
    SubmitOptions options;
    options.completions = std::make_shared<CompletionQueue>();
    options.attachment = engine;
    const auto first = engine->submit(Rows(1).inputs(), options);
    ended = first;
    model_->await_runs(1);
    options.attachment.reset();
    model_->release();
    EXPECT_EQ(outcome_of(first), Outcome::kSuccess);
    while (options.completions->wakeups() == 0) std::this_thread::yield();
    (void)engine->submit(Rows(2).inputs(), options);
    model_->await_runs(2);
  }
  // The second request alone holds the queue, that the first, and that the engine.
  model_->open();
  while (!ended.expired()) std::this_thread::yield();
  while (model_.use_count() > 1) std::this_thread::yield();
  EXPECT_EQ(value("inference_queue_depth"), -1);
}

TEST_F(EngineRacesTest, AThreadThatEndsInsideTheModelLosesNoRequest) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan comes with it, and glibc unwinds without an exception object to refer to";
#endif
  auto engine =
      make_rested(std::make_shared<ScriptedModel>([](Batch&) -> bool { pthread_exit(nullptr); }));
  const auto running = engine->submit(Rows(1).inputs(), with_timeout(kLongNs));
  EXPECT_EQ(outcome_of(running), Outcome::kShutdown);
  const auto queued = engine->submit(Rows(2).inputs());
  EXPECT_FALSE(engine->close(0));
  EXPECT_EQ(outcome_of(queued), Outcome::kShutdown);
  EXPECT_FALSE(engine->close(0));
  EXPECT_EQ(counted(*engine, Outcome::kShutdown), 2U);
}

// --- other rules, other models ---

TEST_F(EngineRacesTest, RequestsOfTheOldAndTheNewModelWaitTogether) {
  auto fresh = std::make_shared<GatedModel>(kAnyWidth);
  auto old = std::make_shared<GatedModel>(kAnyWidth);
  const std::weak_ptr<GatedModel> gone = old;
  const auto engine = make_rested(old);
  std::vector<std::shared_ptr<Request>> requests = {engine->submit(Rows(0).inputs())};
  old->await_runs(1);
  requests.push_back(engine->submit(Rows(1).inputs()));
  engine->swap({fresh});
  requests.push_back(engine->submit(Rows(2).inputs()));
  requests.push_back(engine->submit(Rows(3).inputs()));
  old->open();
  fresh->open();
  for (const auto& request : requests) EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  EXPECT_EQ(old->seen().size(), 2U);
  EXPECT_EQ(old->seen()[1].ids, (std::vector<float>{1}));
  EXPECT_EQ(fresh->seen()[0].ids, (std::vector<float>{2, 3}));
  old.reset();
  while (!gone.expired()) std::this_thread::yield();
}

TEST_F(EngineRacesTest, ASwappedModelGoesWithItsLastRequestHoweverThatEnds) {
  for (const bool cancelled : {true, false}) {
    auto old = std::make_shared<GatedModel>(kAnyWidth);
    const std::weak_ptr<GatedModel> gone = old;
    const auto engine = make_rested(old, batching_of(64, kHour));
    const auto request = engine->submit(Rows(1).inputs(), with_timeout(50 * kSoonNs));
    engine->swap({model_});
    old.reset();
    if (cancelled) (void)engine->cancel(request, false);
    while (!gone.expired()) std::this_thread::yield();
    EXPECT_TRUE(request->ended());
  }
}

TEST_F(EngineRacesTest, AModelIsSwappedWhileItsLastBatchIsBeingPutAway) {
  stop_.arm(RacePoint::kLeaderChosen);
  auto old = std::make_shared<EchoModel>(kAnyWidth);
  const std::weak_ptr<EchoModel> gone = old;
  const auto engine = make_rested(old);
  const auto request = engine->submit(Rows(1).inputs());
  stop_.await();
  old.reset();
  engine->swap({model_});
  EXPECT_TRUE(gone.expired());
  stop_.go();
  EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, AReconfigurationReleasesWhatWaits) {
  const auto engine = make_rested(model_, batching_of(64, kHour));
  model_->open();
  const auto first = engine->submit(Rows(1, 2).inputs());
  const auto second = engine->submit(Rows(3, 2).inputs());
  engine->reconfigure(batching_of(4, kHour));
  EXPECT_EQ(outcome_of(first), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(second), Outcome::kSuccess);
  EXPECT_EQ(batches("full"), 1);
  const auto third = engine->submit(Rows(1).inputs(), leading());
  engine->reconfigure(batching_of(4));
  EXPECT_EQ(third->wait(), WaitStatus::kLead);
  engine->lead(third);
  EXPECT_EQ(outcome_of(third), Outcome::kSuccess);
}

// --- workers and loops ---

TEST_F(EngineRacesTest, AWorkerThatLeavesTheTimerHasAnotherTakeIt) {
  Batching batching = batching_of(64, 20 * kSoonNs);
  batching.padding = Padding{.buckets = {4, 8}};  // two groups that do not push each other
  const auto engine = make_several({model_, model_}, batching);
  const auto first = engine->submit(Rows(1, 1, 4).inputs());
  const auto second = engine->submit(Rows(2, 1, 8).inputs());
  model_->await_runs(2);  // the first worker is still in the model when the second batch is due
  model_->open();
  EXPECT_EQ(outcome_of(first), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(second), Outcome::kSuccess);
  EXPECT_EQ(batches("delay"), 2);
}

TEST_F(EngineRacesTest, AnEarlierTimeReachesTheWorkerThatHoldsTheTimer) {
  const auto engine = make_rested(model_, batching_of(64, kHour));
  model_->open();
  const auto request = engine->submit(Rows(1).inputs());
  stop_.await_passed(RacePoint::kWorkerSleeps, 2);  // for an hour
  engine->reconfigure(batching_of(64, kSoonNs));
  EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  EXPECT_EQ(batches("delay"), 1);
}

TEST_F(EngineRacesTest, AFlushThatMeetsAWorkerLeavesItTheRest) {
  stop_.arm(RacePoint::kTaken);
  const auto engine = make_rested(model_);
  model_->open();
  const auto first = engine->submit(Rows(1).inputs());
  stop_.await();
  const auto second = engine->submit(Rows(2).inputs(), later());
  const CompletionQueue loop;
  std::vector<std::shared_ptr<Request>> ended;
  EXPECT_EQ(engine->flush(loop, ended, kHour), FlushStatus::kDone);
  EXPECT_FALSE(second->ended());
  stop_.go();
  EXPECT_EQ(outcome_of(first), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(second), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, AFlushThatIsOutOfTimeSaysSo) {
  StoppedClock clock(steady_clock().now_ns());
  EngineOptions options = options_of(registry_, batching_of(1));
  options.clock = &clock;
  options.inputs = kAnyWidth;
  const auto owned = make_of({std::make_shared<ScriptedModel>([&](Batch&) {
                               clock.advance(10);
                               return true;
                             })},
                             options);
  Engine& engine = *owned;
  Unread answer;
  ASSERT_TRUE(engine.try_run_here(Rows(0).inputs(), answer).ran);  // now it is known to be fast
  SubmitOptions mine = later();
  const auto loop = std::make_shared<CompletionQueue>();
  mine.completions = loop;
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 3; ++id) requests.push_back(engine.submit(Rows(id).inputs(), mine));
  std::vector<std::shared_ptr<Request>> ended;
  EXPECT_EQ(engine.flush(*loop, ended, 15), FlushStatus::kMoreToDo);
  EXPECT_EQ(ended, (std::vector{requests[0], requests[1]}));
  EXPECT_EQ(engine.flush(*loop, ended, 15), FlushStatus::kDone);
  EXPECT_EQ(ended, requests);
  EXPECT_EQ(loop->wakeups(), 0U);
  stop_.await_passed(RacePoint::kTaken, 3);
}

TEST_F(EngineRacesTest, AModelMayCallAnotherEngineAndItsOwn) {
  Engine other(std::make_shared<EchoModel>(kAnyWidth), options_of(nullptr));
  std::unique_ptr<Engine> engine;
  std::shared_ptr<Request> own;
  std::atomic<bool> right{false};
  engine = make_rested(std::make_shared<ScriptedModel>([&](Batch&) {
    if (own) return true;
    const Rows rows(7);
    Unread answer;
    own = engine->submit(rows.inputs(), leading());
    right = engine->on_worker_thread() && !other.on_worker_thread() &&
            !engine->try_run_here(rows.inputs(), answer).ran &&
            other.try_run_here(rows.inputs(), answer).ran;
    const auto elsewhere = other.submit(rows.inputs());
    right = right && elsewhere->wait() == WaitStatus::kEnded && rows.doubled_by(*elsewhere);
    return true;
  }));
  const auto request = engine->submit(Rows(1).inputs());
  EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  EXPECT_TRUE(right);
  std::thread caller = caller_of(*engine, own);
  caller.join();
  EXPECT_TRUE(Rows(7).doubled_by(*own));
}

TEST_F(EngineRacesTest, AForkedChildsCallersAreToldWhateverTheyDo) {
  const auto engine = make_rested(model_);
  const auto led = engine->submit(Rows(1).inputs(), leading());
  std::thread caller = caller_of(*engine, led);
  model_->await_runs(1);
  const auto waits = engine->submit(Rows(2).inputs(), leading());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    const auto refused = [](const auto& call) {
      try {
        call();
      } catch (const ClosedError&) {
        return true;
      }
      return false;
    };
    Unread answer;
    const CompletionQueue loop;
    std::vector<std::shared_ptr<Request>> ended;
    engine->lead(waits);
    const bool right = refused([&] { (void)engine->try_run_here(Rows(3).inputs(), answer); }) &&
                       refused([&] { engine->reconfigure({}); }) &&
                       refused([&] { engine->swap({model_}); }) &&
                       refused([&] { (void)engine->batching(); }) &&
                       engine->flush(loop, ended, kHour) == FlushStatus::kDone &&
                       !engine->cancel(waits, true) && !waits->ended();
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  model_->open();
  caller.join();
  std::thread other_caller = caller_of(*engine, waits);
  other_caller.join();
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Rows(2).doubled_by(*waits));
}

}  // namespace
}  // namespace inferometer
