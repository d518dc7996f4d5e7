// Lone calls, which run on their callers' threads. Leaders, the turns of event loops and workers
// are in engine_batches_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "answer_sink.h"
#include "engine_fixture.h"
#include "idle_workers.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

using Traits = TraitModel::Traits;

class EngineCallersTest : public EngineFixture {
 protected:
  EndedCall call(Engine& engine, const Rows& rows, const SubmitOptions& options = {}) {
    answer_ = AnswerMemory();
    return engine.try_run_here(rows.inputs(), answer_, options);
  }
  // True if a request of one row runs here; if not, nothing was counted.
  bool runs(Engine& engine, const SubmitOptions& options = {}, int64_t rows = 1) {
    const auto counted = [&engine] {
      const auto requests = engine.stats().requests;
      return std::accumulate(requests.begin(), requests.end(), uint64_t{0});
    };
    const uint64_t before = counted();
    const bool ran = call(engine, Rows(1, rows), options).ran;
    EXPECT_EQ(counted(), before + (ran ? 1 : 0));
    EXPECT_EQ(answer_.size(), ran ? 1U : 0U);
    return ran;
  }
  static std::string message_of(const EndedCall& call) {
    try {
      if (call.error) std::rethrow_exception(call.error);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

  const std::shared_ptr<TraitModel> model_ = std::make_shared<TraitModel>(Traits{});
  AnswerMemory answer_;
};

// Lone calls: how.

TEST_F(EngineCallersTest, ALoneCallRunsOnItsThreadAndItsMemory) {
  const Rows rows(5, 3);
  const std::byte* in = nullptr;
  std::thread::id thread;
  bool on_worker_thread = false;
  std::unique_ptr<Engine> engine;
  engine = make(std::make_shared<TraitModel>(Traits{}, [&](Batch& batch) {
    in = batch.inputs()[0].data;
    thread = std::this_thread::get_id();
    on_worker_thread = engine->on_worker_thread();
  }));
  const EndedCall ended_call = call(*engine, rows);
  ASSERT_TRUE(ended_call.ran);
  EXPECT_EQ(ended_call.outcome, Outcome::kSuccess);
  EXPECT_TRUE(rows.doubled_in(answer_.view(0)));
  EXPECT_EQ(in, rows.view().data);
  EXPECT_EQ(thread, std::this_thread::get_id());
  EXPECT_TRUE(on_worker_thread);
  EXPECT_FALSE(engine->on_worker_thread());
}

TEST_F(EngineCallersTest, ALoneCallIsOneRequestAndOneBatch) {
  const auto engine = make(model_, batching_of(8));
  const EndedCall three = call(*engine, Rows(5, 3));
  EXPECT_EQ(three.timing.batch_size, 3);
  EXPECT_EQ(three.timing.reason, ReleaseReason::kIdle);
  EXPECT_EQ(three.timing.queue_ns, 0);
  EXPECT_EQ(three.timing.total_ns, three.timing.compute_ns);
  EXPECT_EQ(call(*engine, Rows(5, 8)).timing.reason, ReleaseReason::kFull);
  EXPECT_EQ(ended("success"), 2);
  EXPECT_EQ(all_batches(), 2);
  EXPECT_EQ(batches("idle"), 1);
  EXPECT_EQ(batches("full"), 1);
  EXPECT_EQ(value("inference_batch_size_sum"), 11);
  EXPECT_EQ(value("inference_in_flight"), 0);
  EXPECT_EQ(value("inference_queue_depth"), 0);
}

TEST_F(EngineCallersTest, AModelThatKeepsItsInputsNeverSeesThemChange) {
  const auto model = std::make_shared<KeepingModel>();
  const auto engine = make(model);
  EXPECT_EQ(engine->submit(Rows(1).inputs())->wait(), Request::WaitStatus::kEnded);
  (void)model->take();
  auto rows = std::make_unique<Rows>(7);
  ASSERT_TRUE(call(*engine, *rows).ran);
  const std::vector<KeepingModel::Kept> kept = model->take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_NE(kept[0].view.data, rows->view().data);
  EXPECT_NE(kept[0].owner, nullptr);
  rows.reset();
  for (int id = 20; id < 30; ++id) ASSERT_TRUE(call(*engine, Rows(id)).ran);
  EXPECT_TRUE(std::ranges::equal(kept[0].view.as<float>(), kept[0].copy));
  EXPECT_EQ(kept[0].copy[0], 7);
}

// Lone calls: when.

TEST_F(EngineCallersTest, TheFirstRequestOfAModelThatKnowsNothingIsSubmitted) {
  const auto engine = make(std::make_shared<EchoModel>());
  EXPECT_FALSE(runs(*engine));
  (void)engine->submit(Rows(1).inputs())->wait();
  EXPECT_TRUE(runs(*engine));
}

TEST_F(EngineCallersTest, ARequestWithAPriorityIsSubmitted) {
  Batching batching;
  batching.priority_levels = 2;
  const auto engine = make(model_, batching);
  SubmitOptions options;
  options.priority = 1;
  EXPECT_FALSE(runs(*engine, options));
  EXPECT_TRUE(runs(*engine));
}

TEST_F(EngineCallersTest, CallersRunNothingWhereThatIsSwitchedOff) {
  EngineOptions options = options_of(registry_);
  options.caller_runs = false;
  Engine engine(model_, options);
  EXPECT_FALSE(runs(engine));
}

TEST_F(EngineCallersTest, CallersRunNoModelThatMayBlock) {
  EXPECT_FALSE(runs(*make(std::make_shared<TraitModel>(Traits{.may_block = true}))));
}

TEST_F(EngineCallersTest, NobodyOvertakesWhatWaits) {
  const auto engine = make(model_, batching_of(8, kHour));
  EXPECT_TRUE(runs(*engine, {}, 8));
  const auto waits = engine->submit(Rows(1).inputs());
  EXPECT_FALSE(runs(*engine, {}, 8));
}

TEST_F(EngineCallersTest, ABusyInstanceIsNotShared) {
  const auto model = std::make_shared<GatedModel>(kFour);
  const auto engine = make(model);
  const auto busy = engine->submit(Rows(1).inputs());
  model->await_runs(1);
  EXPECT_FALSE(runs(*engine));
  model->open();
  (void)busy->wait();
}

TEST_F(EngineCallersTest, ADelayThatWasAskedForIsWaitedForInTheQueue) {
  Batching batching = batching_of(8, kHour);
  EXPECT_FALSE(runs(*make(model_, batching)));
  batching.preferred_batch_sizes = {2, 4};
  const auto engine = make(model_, batching);
  EXPECT_FALSE(runs(*engine, {}, 1));
  EXPECT_FALSE(runs(*engine, {}, 3));
  EXPECT_TRUE(runs(*engine, {}, 2));
  EXPECT_TRUE(runs(*engine, {}, 5));
  EXPECT_EQ(batches("preferred"), 2);
  engine->reconfigure(batching_of(8));
  EXPECT_TRUE(runs(*engine));
}

TEST_F(EngineCallersTest, ADeadlineNeedsTenTimesTheModelsKnownTime) {
  StoppedClock clock(1);
  EngineOptions options = options_of(registry_);
  options.clock = &clock;
  Engine engine(std::make_shared<TraitModel>(Traits{}, [&](Batch&) { clock.advance(100); }),
                options);
  EXPECT_FALSE(runs(engine, with_timeout(kHour)));  // nothing is known
  EXPECT_TRUE(runs(engine));
  EXPECT_FALSE(runs(engine, with_timeout(999)));
  EXPECT_TRUE(runs(engine, with_timeout(1000)));
  EXPECT_FALSE(runs(engine, with_timeout(0)));  // already late
  Batching batching;
  batching.default_timeout_ns = 999;
  engine.reconfigure(batching);
  EXPECT_FALSE(runs(engine));
  EXPECT_TRUE(runs(engine, with_timeout(1000)));
}

TEST_F(EngineCallersTest, AModelThatNeedsTheInterpreterRunsWhereItIsCalm) {
  const auto engine = make(std::make_shared<TraitModel>(Traits{.needs_interpreter = true}));
  const auto become_calm = [&] {
    for (int call = 0; call < 4; ++call) EXPECT_FALSE(runs(*engine)) << call;
    EXPECT_TRUE(runs(*engine));
    EXPECT_TRUE(runs(*engine));
  };
  become_calm();
  std::thread([&] { EXPECT_FALSE(runs(*engine)); }).join();
  become_calm();  // another thread came in between
}

TEST_F(EngineCallersTest, AnEngineThatIsDrainedOrClosedRunsNothing) {
  const auto engine = make(model_);
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_FALSE(runs(*engine));
  engine->close();
  EXPECT_FALSE(runs(*engine));
}

// Lone calls: what goes wrong.

TEST_F(EngineCallersTest, InvalidCallsAreRefusedAndCounted) {
  const auto engine = make(model_, batching_of(8));
  EXPECT_THROW((void)call(*engine, Rows(1, 1, 5)), ShapeError);
  EXPECT_THROW((void)call(*engine, Rows(1, 9)), ShapeError);
  SubmitOptions traced;
  const std::string endless(200, 'x');
  traced.trace_id = endless;
  EXPECT_THROW((void)call(*engine, Rows(1), traced), ConfigError);
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kInvalid)], 3U);
  EXPECT_EQ(all_batches(), 0);
}

TEST_F(EngineCallersTest, WhatTheModelThrowsIsTheCalls) {
  bool fail = true;
  const auto engine = make(std::make_shared<TraitModel>(Traits{}, [&](Batch&) {
    if (fail) throw std::runtime_error("broken weights");
  }));
  const EndedCall failed = call(*engine, Rows(1, 2));
  EXPECT_TRUE(failed.ran);
  EXPECT_EQ(failed.outcome, Outcome::kFailure);
  EXPECT_EQ(message_of(failed), "broken weights");
  EXPECT_EQ(ended("failure"), 1);
  EXPECT_EQ(all_batches(), 1);
  fail = false;
  EXPECT_TRUE(runs(*engine));
  EXPECT_EQ(ended("success"), 1);
}

TEST_F(EngineCallersTest, ACallerThatHasNoRoomForTheAnswerFails) {
  const auto engine = make(model_);
  AnswerMemory none;
  none.refuse = std::make_exception_ptr(std::runtime_error("no room"));
  const EndedCall failed = engine->try_run_here(Rows(1).inputs(), none);
  EXPECT_EQ(failed.outcome, Outcome::kFailure);
  EXPECT_EQ(message_of(failed), "no room");
  EXPECT_EQ(ended("failure"), 1);
  EXPECT_TRUE(runs(*engine));
}

TEST_F(EngineCallersTest, ABreachOfTheContractNamesGotAndWanted) {
  const auto engine = make(std::make_shared<BrokenModel>(BrokenModel::Breach::kRows));
  (void)engine->submit(Rows(1).inputs())->wait();  // fixes the inputs
  EXPECT_EQ(message_of(call(*engine, Rows(1, 2))),
            "the model returned 3 rows for output 0, want 2, one for each input row");
  EXPECT_TRUE(engine->outputs().empty());
}

TEST_F(EngineCallersTest, ALoneCallFixesTheOutputs) {
  const auto engine = make(model_);
  EXPECT_TRUE(engine->outputs().empty());
  ASSERT_TRUE(runs(*engine));
  ASSERT_EQ(engine->outputs().size(), 1U);
  EXPECT_EQ(engine->outputs()[0].shape, Shape({-1, 4}));
}

TEST_F(EngineCallersTest, DrainWaitsForALoneCall) {
  const auto model = std::make_shared<GatedModel>(kFour);
  const auto engine = make(model);
  std::thread caller([&] { EXPECT_EQ(call(*engine, Rows(1)).outcome, Outcome::kSuccess); });
  model->await_runs(1);
  EXPECT_EQ(value("inference_in_flight"), 1);
  EXPECT_FALSE(engine->drain(kSoonNs));
  model->open();
  EXPECT_TRUE(engine->drain(kLongNs));
  caller.join();
  EXPECT_EQ(ended("success"), 1);
}

TEST_F(EngineCallersTest, CloseEndsALoneCallOnce) {
  const auto model = std::make_shared<GatedModel>(kFour);
  const auto engine = make(model);
  EndedCall ended_call;
  std::thread caller([&] { ended_call = call(*engine, Rows(1)); });
  model->await_runs(1);
  EXPECT_FALSE(engine->close(0));
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kShutdown)], 1U);
  model->open();
  caller.join();
  EXPECT_EQ(ended_call.outcome, Outcome::kShutdown);
  EXPECT_EQ(ended_call.error, nullptr);
  EXPECT_TRUE(engine->close(kLongNs));
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kShutdown)], 1U);
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kSuccess)], 0U);
}

}  // namespace
}  // namespace inferometer
