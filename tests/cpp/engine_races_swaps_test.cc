// Forced interleavings: who runs and leads batches of the old model and the new one after a swap.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "race_fixture.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

/// Answers like EchoModel and notes on which thread; says of itself what it is told to, now.
/// Thread-safe.
class ChangingModel final : public EchoModel {
 public:
  enum class Trait : uint8_t { kPlain, kBlocks, kInterpreter };

  explicit ChangingModel(Trait trait) : EchoModel(kAnyWidth), trait_(trait) {}
  [[nodiscard]] bool may_block() const noexcept override { return trait_ == Trait::kBlocks; }
  [[nodiscard]] bool needs_interpreter() const noexcept override {
    return trait_ == Trait::kInterpreter;
  }
  void run(Batch& batch) override {
    echo(batch);
    ran_on_ = std::this_thread::get_id();
  }
  void become(Trait trait) { trait_ = trait; }
  [[nodiscard]] bool ran_here() const { return ran_on_ == std::this_thread::get_id(); }

 private:
  std::atomic<Trait> trait_;
  std::atomic<std::thread::id> ran_on_;
};

using Trait = ChangingModel::Trait;

std::shared_ptr<ChangingModel> model_that(Trait trait) {
  return std::make_shared<ChangingModel>(trait);
}

SubmitOptions leading_later() {
  SubmitOptions options = leading();
  options.flush_later = true;  // is not asked at the door
  return options;
}

constexpr std::array<Trait, 2> kForWorkers = {Trait::kBlocks, Trait::kInterpreter};

TEST_F(EngineRacesTest, ACallerIsNotAskedToLeadABatchOfAnOldModelThatIsForWorkers) {
  for (const Trait trait : kForWorkers) {
    const auto old = model_that(trait);
    const auto fresh = model_that(Trait::kPlain);
    const auto engine = make_rested(old, batching_of(1));
    const auto waiting = engine->submit(Rows(1).inputs(), later());
    engine->swap({fresh});
    const auto caller = engine->submit(Rows(2).inputs(), leading());
    while (caller->wait() == WaitStatus::kLead) engine->lead(caller);
    EXPECT_EQ(outcome_of(waiting), Outcome::kSuccess);
    EXPECT_FALSE(old->ran_here());
  }
}

TEST_F(EngineRacesTest, ACallerIsAskedToLeadABatchOfAnOldModelThatIsForCallers) {
  for (const Trait trait : kForWorkers) {
    const auto old = model_that(Trait::kPlain);
    const auto engine = make_rested(old);
    const auto caller = engine->submit(Rows(1).inputs(), leading_later());
    engine->swap({model_that(trait)});
    engine->reconfigure({});  // somebody looks
    ASSERT_EQ(caller->wait(), WaitStatus::kLead);
    engine->lead(caller);
    EXPECT_EQ(outcome_of(caller), Outcome::kSuccess);
    EXPECT_TRUE(old->ran_here());
  }
}

TEST_F(EngineRacesTest, ALeaderLeadsWhateverTheModelIsThatWasSwappedInMeanwhile) {
  for (const Trait trait : kForWorkers) {
    const auto old = model_that(Trait::kPlain);
    const auto engine = make_rested(old);
    const auto asked = engine->submit(Rows(1).inputs(), leading());
    engine->swap({model_that(trait)});
    ASSERT_EQ(asked->wait(), WaitStatus::kLead);
    engine->lead(asked);
    EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
    EXPECT_TRUE(old->ran_here());
  }
}

TEST_F(EngineRacesTest, AnOldModelThatMayBlockByNowIsLeftToAWorker) {
  const auto old = model_that(Trait::kPlain);
  const auto engine = make_rested(old);
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  old->become(Trait::kBlocks);
  engine->swap({model_that(Trait::kPlain)});
  ASSERT_EQ(asked->wait(), WaitStatus::kLead);
  engine->lead(asked);
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
  EXPECT_FALSE(old->ran_here());
}

// The batch that the leader came for is gone: what is next by now is another model's.
TEST_F(EngineRacesTest, ALeaderLeavesABatchBehindItsOwnToAWorkerIfThatsModelIsForWorkers) {
  StoppedClock clock(steady_clock().now_ns());
  Batching batching;
  batching.default_queue_policy.timeout_ns = kHour;
  batching.default_queue_policy.timeout_action = TimeoutAction::kDelay;
  EngineOptions options = options_of(registry_, batching);
  options.clock = &clock;
  const auto fresh = model_that(Trait::kInterpreter);
  const auto engine = make_of({model_that(Trait::kPlain)}, options);
  const auto asked = engine->submit(Rows(1).inputs(), leading());
  engine->swap({fresh});
  clock.advance(kHour / 2);
  const auto other = engine->submit(Rows(2).inputs(), later());
  clock.advance(kHour / 2);  // the first is due, and goes behind the other
  ASSERT_EQ(asked->wait(), WaitStatus::kLead);
  engine->lead(asked);
  EXPECT_EQ(outcome_of(other), Outcome::kSuccess);
  EXPECT_FALSE(fresh->ran_here());
  EXPECT_EQ(outcome_of(asked), Outcome::kSuccess);
}

TEST_F(EngineRacesTest, ALoopLeavesBatchesOfAnOldModelThatBlocksToAWorker) {
  Batching batching = batching_of(2, kHour);
  batching.priority_levels = 2;
  EngineOptions options = options_of(registry_, batching);
  options.inline_limit_ns = kHour;
  const auto old = model_that(Trait::kBlocks);
  const auto fresh = model_that(Trait::kPlain);
  const auto engine = make_of({old}, options);
  const auto submit = [&](int id, int64_t level) {
    SubmitOptions given = later();
    given.priority = level;
    return engine->submit(Rows(id).inputs(), given);
  };
  const auto waiting = submit(1, 2);  // for company
  engine->swap({fresh});
  const size_t rests = stop_.passed(RacePoint::kWorkerSleeps);
  const std::vector<std::shared_ptr<Request>> full = {submit(2, 1), submit(3, 1)};
  flush(*engine);
  for (const auto& request : full) EXPECT_EQ(outcome_of(request), Outcome::kSuccess);
  stop_.await_passed(RacePoint::kWorkerSleeps, rests + 1);
  EXPECT_FALSE(waiting->ended());
  // By now batches are known to be fast enough for loops. Another group releases the old model's.
  const auto other = submit(4, 2);
  const CompletionQueue loop;
  std::vector<std::shared_ptr<Request>> ended;
  EXPECT_EQ(engine->flush(loop, ended, kHour), FlushStatus::kDone);
  EXPECT_EQ(outcome_of(waiting), Outcome::kSuccess);
  EXPECT_FALSE(old->ran_here());
}

TEST_F(EngineRacesTest, ALoopRunsBatchesOfAnOldModelWhateverTheNewOneIs) {
  EngineOptions options = options_of(registry_, batching_of(2, kHour));
  options.inline_limit_ns = kHour;
  const auto old = std::make_shared<GatedModel>(kAnyWidth);
  const auto engine = make_of({old}, options);
  const auto running = engine->submit(Rows(1, 2).inputs());
  old->await_runs(1);
  const auto waiting = engine->submit(Rows(2).inputs(), later());
  engine->swap({model_that(Trait::kBlocks)});
  const size_t rests = stop_.passed(RacePoint::kWorkerSleeps);
  old->open();
  EXPECT_EQ(outcome_of(running), Outcome::kSuccess);
  stop_.await_passed(RacePoint::kWorkerSleeps, rests + 1);
  EXPECT_FALSE(waiting->ended());
  const auto other = engine->submit(Rows(3).inputs(), later());  // releases the old model's
  const CompletionQueue loop;
  std::vector<std::shared_ptr<Request>> ended;
  EXPECT_EQ(engine->flush(loop, ended, kHour), FlushStatus::kDone);
  EXPECT_TRUE(waiting->ended());  // on this thread
}

}  // namespace
}  // namespace inferometer
