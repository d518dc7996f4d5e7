// Who runs a batch where several could: leaders, the turns of event loops, several instances.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
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
using WaitStatus = Request::WaitStatus;

class EngineBatchesTest : public EngineFixture {
 protected:
  /// Notes which thread runs which batch, then goes on with `script`.
  std::shared_ptr<TraitModel> model(Traits traits = {}, std::function<void()> script = {}) {
    return std::make_shared<TraitModel>(traits, [this, script = std::move(script)](Batch& batch) {
      threads_.push_back(std::this_thread::get_id());
      rows_.push_back(batch.rows());
      if (script) script();
    });
  }
  /// As a blocking caller submits.
  static std::shared_ptr<Request> submit_waiting(Engine& engine, int id = 1) {
    SubmitOptions options;
    options.caller_waits = true;
    return engine.submit(Rows(id).inputs(), options);
  }
  /// As a loop submits within its turn.
  static std::shared_ptr<Request> submit_later(Engine& engine, int id,
                                               std::shared_ptr<CompletionQueue> loop = nullptr) {
    SubmitOptions options;
    options.flush_later = true;
    options.completions = std::move(loop);
    return engine.submit(Rows(id).inputs(), options);
  }
  /// Lets the engine know how fast its model is.
  static void run_once(Engine& engine) {
    AnswerMemory answer;
    if (!engine.try_run_here(Rows(0).inputs(), answer).ran) {
      EXPECT_EQ(engine.submit(Rows(0).inputs())->wait(), WaitStatus::kEnded);
    }
    await_idle_workers();
  }
  bool all_ran_here() const {
    return threads_ == std::vector<std::thread::id>(threads_.size(), std::this_thread::get_id());
  }

  const std::shared_ptr<CompletionQueue> loop_ = std::make_shared<CompletionQueue>();
  std::vector<std::shared_ptr<Request>> ended_;
  // Of the batches that model() ran. Tests read them while nothing runs.
  std::vector<std::thread::id> threads_;
  std::vector<int64_t> rows_;
};

// Leaders.

TEST_F(EngineBatchesTest, ACallerThatWaitsIsAskedToLead) {
  const auto engine = make(model());
  await_idle_workers();
  const auto request = submit_waiting(*engine);
  EXPECT_EQ(request->wait(), WaitStatus::kLead);
  engine->lead(request);
  EXPECT_EQ(request->wait(), WaitStatus::kEnded);
  EXPECT_TRUE(Rows(1).doubled_by(*request));
  EXPECT_TRUE(all_ran_here());
  EXPECT_EQ(all_batches(), 1);
}

TEST_F(EngineBatchesTest, ALeaderRunsOneBatchAndHandsOn) {
  std::unique_ptr<Engine> engine;
  std::vector<std::shared_ptr<Request>> more;
  engine = make(model({},
                      [&] {
                        // Two batches come while the first one runs.
                        while (more.size() < 4) more.push_back(submit_waiting(*engine));
                      }),
                batching_of(2));
  await_idle_workers();
  const auto first = submit_waiting(*engine);
  engine->lead(first);
  EXPECT_EQ(first->wait(), WaitStatus::kLead);  // it was asked, and led before it waited
  EXPECT_EQ(first->wait(), WaitStatus::kEnded);
  EXPECT_EQ(rows_, (std::vector<int64_t>{1}));
  EXPECT_EQ(more[0]->wait(), WaitStatus::kLead);  // whose row opened the next batch
  engine->lead(more[0]);
  EXPECT_EQ(rows_, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(more[1]->wait(), WaitStatus::kEnded);
  EXPECT_EQ(more[2]->wait(), WaitStatus::kLead);
  engine->lead(more[2]);
  EXPECT_EQ(more[3]->wait(), WaitStatus::kEnded);
  EXPECT_TRUE(all_ran_here());
}

TEST_F(EngineBatchesTest, ALeaderHandsOnToAWorkerWhereNobodyWaits) {
  std::unique_ptr<Engine> engine;
  std::shared_ptr<Request> next;
  engine = make(model({}, [&] {
    if (!next) next = engine->submit(Rows(2).inputs());
  }));
  await_idle_workers();
  engine->lead(submit_waiting(*engine));
  EXPECT_EQ(next->wait(), WaitStatus::kEnded);
  ASSERT_EQ(threads_.size(), 2U);
  EXPECT_NE(threads_[1], std::this_thread::get_id());
}

TEST_F(EngineBatchesTest, ALoneCallHandsOnToo) {
  std::unique_ptr<Engine> engine;
  std::shared_ptr<Request> next;
  engine = make(model({}, [&] {
    if (!next) next = submit_waiting(*engine);
  }));
  await_idle_workers();
  AnswerMemory answer;
  EXPECT_TRUE(engine->try_run_here(Rows(0).inputs(), answer).ran);
  EXPECT_EQ(next->wait(), WaitStatus::kLead);
  engine->lead(next);
  EXPECT_TRUE(next->ended());
  EXPECT_TRUE(all_ran_here());
}

TEST_F(EngineBatchesTest, ACancelledLeaderHandsOn) {
  const auto engine = make(model());
  await_idle_workers();
  const auto leader = submit_waiting(*engine);
  const auto other = submit_later(*engine, 2);  // of which nobody was told
  EXPECT_TRUE(engine->cancel(leader, false));
  EXPECT_EQ(other->wait(), WaitStatus::kEnded);
}

TEST_F(EngineBatchesTest, WhoLeadsWithNothingToDoComesBackAtOnce) {
  const auto engine = make(model(), batching_of(4, kHour));
  const auto request = submit_waiting(*engine);  // not asked: it waits for company
  engine->lead(request);
  EXPECT_FALSE(request->ended());
  EXPECT_EQ(all_batches(), 0);
}

TEST_F(EngineBatchesTest, ADelayThatIsOverIsAWorkersBusiness) {
  const auto engine = make(model(), batching_of(4, kSoonNs));
  const auto request = submit_waiting(*engine);
  WaitStatus status = request->wait();
  if (status == WaitStatus::kLead) {  // a slow submitter may find it over already
    engine->lead(request);
    status = request->wait();
  }
  EXPECT_EQ(status, WaitStatus::kEnded);
  EXPECT_EQ(batches("delay"), 1);
}

TEST_F(EngineBatchesTest, ModelsThatCallersMustNotRunAreNeverLed) {
  EngineOptions off = options_of(nullptr);
  off.caller_runs = false;
  const std::vector<std::pair<Traits, EngineOptions>> cases = {
      {{.needs_interpreter = true}, options_of(nullptr)},
      {{.may_block = true}, options_of(nullptr)},
      {{}, off},
  };
  for (const auto& [traits, options] : cases) {
    Engine engine(model(traits), options);
    EXPECT_EQ(submit_waiting(engine)->wait(), WaitStatus::kEnded);
    EXPECT_NE(threads_.back(), std::this_thread::get_id());
  }
}

// The turns of event loops.

class EngineFlushTest : public EngineBatchesTest {
 protected:
  static EngineOptions with_limit(EngineOptions options, int64_t inline_limit_ns) {
    options.inline_limit_ns = inline_limit_ns;
    return options;
  }
  // True if a request of a loop runs within the loop's turn.
  bool runs_inline(Engine& engine) {
    const auto request = submit_later(engine, 1);
    EXPECT_EQ(engine.flush(*loop_, ended_, kHour), FlushStatus::kDone);
    EXPECT_EQ(request->wait(), WaitStatus::kEnded);
    EXPECT_TRUE(Rows(1).doubled_by(*request));
    return threads_.back() == std::this_thread::get_id();
  }
};

TEST_F(EngineFlushTest, OnlyAModelThatIsKnownToBeFastRunsInATurn) {
  Engine fast(model(), with_limit(options_of(nullptr), kHour));
  EXPECT_FALSE(runs_inline(fast));  // nothing is known yet
  run_once(fast);
  EXPECT_TRUE(runs_inline(fast));
  for (const int64_t limit : {0, 1}) {
    Engine slow(model(), with_limit(options_of(nullptr), limit));
    run_once(slow);
    EXPECT_FALSE(runs_inline(slow));
  }
}

TEST_F(EngineFlushTest, ModelsThatBlockAndEnginesThatSaySoRunOnWorkers) {
  EngineOptions off = with_limit(options_of(nullptr), kHour);
  off.caller_runs = false;
  Engine workers_only(model(), off);
  run_once(workers_only);
  EXPECT_FALSE(runs_inline(workers_only));
  Engine blocking(model({.may_block = true}), with_limit(options_of(nullptr), kHour));
  run_once(blocking);
  EXPECT_FALSE(runs_inline(blocking));
}

TEST_F(EngineFlushTest, ATurnGetsItsOwnAnswersWithoutAWakeUpAndOthersGetTheirs) {
  Engine engine(model(), with_limit(options_of(registry_), kHour));
  run_once(engine);
  const auto other = std::make_shared<CompletionQueue>();
  const auto mine = submit_later(engine, 1, loop_);
  const auto others = submit_later(engine, 2, other);
  const auto nobodys = submit_later(engine, 3);
  EXPECT_EQ(engine.flush(*loop_, ended_, kHour), FlushStatus::kDone);
  EXPECT_EQ(ended_, (std::vector<std::shared_ptr<Request>>{mine}));
  EXPECT_EQ(loop_->wakeups(), 0U);
  EXPECT_EQ(other->wakeups(), 1U);
  EXPECT_EQ(other->take(), (std::vector<std::shared_ptr<Request>>{others}));
  EXPECT_TRUE(nobodys->ended());
  EXPECT_EQ(rows_.back(), 3);
  EXPECT_TRUE(all_ran_here());
}

TEST_F(EngineFlushTest, ATurnEndsWithItsBudget) {
  StoppedClock clock(1);
  EngineOptions options = with_limit(options_of(registry_, batching_of(1)), 101);
  options.clock = &clock;
  Engine engine(model({}, [&] { clock.advance(100); }), options);
  run_once(engine);
  for (int id = 0; id < 3; ++id) submit_later(engine, id, loop_);
  EXPECT_EQ(engine.flush(*loop_, ended_, 0), FlushStatus::kMoreToDo);
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(engine.flush(*loop_, ended_, 101), FlushStatus::kMoreToDo);
  EXPECT_EQ(ended_.size(), 2U);
  EXPECT_EQ(engine.flush(*loop_, ended_, 1), FlushStatus::kDone);
  EXPECT_EQ(ended_.size(), 3U);
  EXPECT_EQ(engine.flush(*loop_, ended_, 0), FlushStatus::kDone);
  EXPECT_TRUE(all_ran_here());
}

TEST_F(EngineFlushTest, WhatIsNotReleasedIsLeftToAWorker) {
  Engine engine(model(), with_limit(options_of(registry_, batching_of(2, kHour)), kHour));
  AnswerMemory answer;
  EXPECT_TRUE(engine.try_run_here(Rows(0, 2).inputs(), answer).ran);
  const auto first = submit_later(engine, 1, loop_);
  EXPECT_EQ(engine.flush(*loop_, ended_, kHour), FlushStatus::kDone);
  EXPECT_FALSE(first->ended());
  await_idle_workers();
  const auto second = submit_later(engine, 2, loop_);
  EXPECT_EQ(engine.flush(*loop_, ended_, kHour), FlushStatus::kDone);
  EXPECT_EQ(ended_, (std::vector<std::shared_ptr<Request>>{first, second}));
}

// Several instances.

class EngineInstancesTest : public EngineFixture {
 protected:
  std::unique_ptr<Engine> make_all(std::vector<std::shared_ptr<Executable>> instances,
                                   const Batching& batching = batching_of(1)) {
    return std::make_unique<Engine>(std::move(instances), options_of(registry_, batching));
  }
  double busy(const char* instance) const {
    return value("inference_busy_seconds_total", {{"model_instance", instance}});
  }
};

TEST_F(EngineInstancesTest, OneModelMayStandSeveralTimesAndRunAtTheSameTime) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make_all({model, model});
  EXPECT_EQ(engine->instances(), 2U);
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 3; ++id) requests.push_back(engine->submit(Rows(id).inputs()));
  model->await_runs(2);
  EXPECT_EQ(value("inference_in_flight"), 2);
  EXPECT_EQ(value("inference_queue_depth"), 1);
  EXPECT_EQ(model->seen().size(), 2U);
  model->open();
  for (int id = 0; id < 3; ++id) {
    EXPECT_EQ(requests[static_cast<size_t>(id)]->wait(), WaitStatus::kEnded);
    EXPECT_TRUE(Rows(id).doubled_by(*requests[static_cast<size_t>(id)]));
  }
  EXPECT_GT(busy("0"), 0);
  EXPECT_GT(busy("1"), 0);
  EXPECT_EQ(busy("2"), -1);
}

TEST_F(EngineInstancesTest, AWorkerThatLeavesSomethingReleasedCallsAnother) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make_all({model, model});
  await_idle_workers();
  SubmitOptions later;
  later.flush_later = true;
  for (int id = 0; id < 2; ++id) (void)engine->submit(Rows(id).inputs(), later);
  flush(*engine);        // calls one
  model->await_runs(2);  // while neither has returned
  model->open();
  EXPECT_TRUE(engine->drain(kLongNs));
}

TEST_F(EngineInstancesTest, AWorkerThatLeavesSomethingWaitingHasAnotherMindTheTime) {
  const auto model = std::make_shared<GatedModel>(
      std::vector<TensorSpec>{{"x", DType::kFloat32, Shape({-1, -1})}});
  Batching batching = batching_of(8, 20 * kSoonNs);
  batching.padding = Padding{.buckets = {4}};  // each length waits for its own company
  const auto engine = make_all({model, model}, batching);
  await_idle_workers();
  (void)engine->submit(Rows(1, 1, 4).inputs());
  await_idle_workers();  // one minds the time, the other just sleeps
  (void)engine->submit(Rows(2, 1, 6).inputs());
  model->await_runs(2);
  model->open();
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_EQ(batches("delay"), 2);
}

TEST_F(EngineInstancesTest, TheLowestFreeInstanceRuns) {
  const auto first = std::make_shared<GatedModel>();
  const auto second = std::make_shared<GatedModel>();
  const auto engine = make_all({first, second});
  const auto a = engine->submit(Rows(1).inputs());
  first->await_runs(1);
  EXPECT_TRUE(second->seen().empty());
  EXPECT_EQ(busy("1"), 0);
  const auto b = engine->submit(Rows(2).inputs());
  second->await_runs(1);
  first->open();
  EXPECT_EQ(a->wait(), WaitStatus::kEnded);
  EXPECT_EQ(engine->submit(Rows(3).inputs())->wait(), WaitStatus::kEnded);
  EXPECT_EQ(first->seen().size(), 2U);  // the second one is still busy
  EXPECT_FALSE(b->ended());
  second->open();
  EXPECT_TRUE(engine->drain(kLongNs));
}

TEST_F(EngineInstancesTest, ACallerRunsOnOneInstanceWhileAWorkerIsBusyWithAnother) {
  const std::vector<TensorSpec> four = {{"x", DType::kFloat32, Shape({-1, 4})}};
  const auto gated = std::make_shared<GatedModel>(four);
  const auto engine = make_all({gated, std::make_shared<EchoModel>(four)});
  const auto busy_one = engine->submit(Rows(1).inputs());
  gated->await_runs(1);
  AnswerMemory answer;
  EXPECT_TRUE(engine->try_run_here(Rows(2).inputs(), answer).ran);
  EXPECT_TRUE(Rows(2).doubled_in(answer.view(0)));
  EXPECT_GT(busy("1"), 0);
  EXPECT_FALSE(busy_one->ended());
  gated->open();
  EXPECT_EQ(busy_one->wait(), WaitStatus::kEnded);
}

TEST_F(EngineInstancesTest, ClosingEndsWhatAnyInstanceRuns) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make_all({model, model});
  const auto a = engine->submit(Rows(1).inputs());
  const auto b = engine->submit(Rows(2).inputs());
  const auto c = engine->submit(Rows(3).inputs());
  model->await_runs(2);
  EXPECT_FALSE(engine->close(0));
  for (const auto& request : {a, b, c}) EXPECT_EQ(request->outcome(), Outcome::kShutdown);
  model->open();
  EXPECT_EQ(engine->stats().requests[static_cast<size_t>(Outcome::kShutdown)], 3U);
}

}  // namespace
}  // namespace inferometer
