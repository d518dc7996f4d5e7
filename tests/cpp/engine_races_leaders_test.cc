// Forced interleavings: callers that are asked to lead a batch.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "race_fixture.h"

namespace inferometer {
namespace {

TEST_F(EngineRacesTest, ALeaderThatIsCancelledHandsOnToAWorker) {
  const auto engine = make_rested(model_);
  model_->open();
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  const auto other = engine->submit(Rows(2).inputs(), later());
  EXPECT_TRUE(engine->cancel(asked, false));
  EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, ALeaderThatIsCancelledHandsOnToTheNext) {
  const auto engine = make_rested(model_);
  model_->open();
  SubmitOptions options = leading();
  const auto asked = engine->submit(Rows(1).inputs(), options);
  options.flush_later = true;  // is not asked at the door
  const auto next = engine->submit(Rows(2).inputs(), options);
  EXPECT_TRUE(engine->cancel(asked, false));
  EXPECT_EQ(next->wait(), WaitStatus::kLead);
  engine->lead(next);
  EXPECT_EQ(outcome_of(next), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, ALeaderThatIsCancelledBetweenBeingChosenAndWoken) {
  const auto engine = make_rested(model_, batching_of(1));
  const auto first = engine->submit(Rows(1).inputs(), leading());
  std::thread caller = caller_of(*engine, first);
  model_->await_runs(1);
  const auto chosen = engine->submit(Rows(2).inputs(), leading());
  const auto next = engine->submit(Rows(3).inputs(), leading());
  stop_.arm(RacePoint::kLeaderChosen);
  model_->open();
  stop_.await();
  EXPECT_TRUE(engine->cancel(chosen, false));
  EXPECT_EQ(next->wait(), WaitStatus::kLead);
  stop_.go();
  engine->lead(next);
  EXPECT_EQ(outcome_of(next), Outcome::kSuccess);
  caller.join();
}

TEST_F(EngineRacesTest, ALeaderThatGivesUpWhileItsRequestRunsHandsOn) {
  const auto engine = make_several({model_, model_});
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  flush(*engine);
  model_->await_runs(1);  // on a worker
  const auto other = engine->submit(Rows(2).inputs(), later());
  EXPECT_FALSE(engine->cancel(asked, false));
  model_->await_runs(2);  // on the other worker
  model_->open();
  EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
  EXPECT_EQ(asked->wait(), WaitStatus::kLead);  // still: to lead for nothing harms nobody
  engine->lead(asked);
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, ALeaderThatFindsNothingWaitsOn) {
  const auto engine = make_rested(model_);
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  const auto other = engine->submit(Rows(2).inputs());
  model_->await_runs(1);  // a worker has taken both
  EXPECT_EQ(asked->wait(), WaitStatus::kLead);
  engine->lead(asked);
  EXPECT_FALSE(asked->ended());
  model_->open();
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
  EXPECT_EQ(all_batches(), 1);
}

TEST_F(EngineRacesTest, ALeaderWhoseOwnRequestHasEndedLeadsAllTheSame) {
  const auto engine = make_rested(model_);
  model_->open();
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  flush(*engine);  // a worker
  while (!asked->ended()) std::this_thread::yield();
  stop_.await_passed(RacePoint::kWorkerSleeps, stop_.passed(RacePoint::kTaken) + 1);
  const auto other = engine->submit(Rows(2).inputs(), later());
  EXPECT_EQ(asked->wait(), WaitStatus::kLead);
  engine->lead(asked);
  EXPECT_TRUE(other->ended());  // on this thread
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, ACallerWhoseDeadlineLeavesNoRoomIsNotAskedToLead) {
  SubmitOptions options = leading();
  {
    const auto engine = make_rested(model_);
    options.timeout_ns = kSoonNs;
    const auto late = engine->submit(Rows(1).inputs(), options);
    EXPECT_EQ(outcome_of(late), Outcome::kTimeout);  // while the model holds its batch, or before
    model_->open();
  }
  const auto engine = make_rested(std::make_shared<EchoModel>(kAnyWidth));
  Unread answer;
  ASSERT_TRUE(engine->try_run_here(Rows(0).inputs(), answer).ran);  // now it is known to be fast
  options.timeout_ns = kLongNs;
  const auto patient = engine->submit(Rows(2).inputs(), options);
  EXPECT_EQ(patient->wait(), WaitStatus::kLead);
  engine->lead(patient);
  EXPECT_EQ(outcome_of(patient), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, AModelThatMayBlockByNowIsLeftToAWorker) {
  class Blocking final : public EchoModel {
   public:
    Blocking() : EchoModel(kAnyWidth) {}
    [[nodiscard]] bool may_block() const noexcept override { return blocks; }
    void run(Batch& batch) override {
      echo(batch);
      thread = std::this_thread::get_id();
    }
    std::atomic<bool> blocks{false};
    std::atomic<std::thread::id> thread;
  };
  const auto model = std::make_shared<Blocking>();
  const auto engine = make_rested(model);
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  model->blocks = true;
  EXPECT_EQ(asked->wait(), WaitStatus::kLead);
  engine->lead(asked);
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
  EXPECT_NE(model->thread, std::this_thread::get_id());
}

TEST_F(EngineRacesTest, AnInstanceIsNotHandedToACallerThatLeadsOnAnother) {
  const auto first = std::make_shared<GatedModel>(kAnyWidth);
  const auto second = std::make_shared<GatedModel>(kAnyWidth);
  const auto engine = make_several({first, second}, batching_of(1));
  const auto led = engine->submit(Rows(1).inputs(), leading());
  std::thread caller = caller_of(*engine, led);
  first->await_runs(1);
  const auto older = engine->submit(Rows(2).inputs(), later());
  const auto own = engine->submit(Rows(3).inputs(), leading());
  std::thread other_caller = caller_of(*engine, own);
  second->await_runs(1);  // with the older one's batch
  first->open();
  first->await_runs(2);  // with its own, on a worker
  second->open();
  caller.join();
  other_caller.join();
  EXPECT_EQ(outcome_of(older), Outcome::kSuccess);
  EXPECT_EQ(outcome_of(own), Outcome::kSuccess);
}

}  // namespace
}  // namespace inferometer
