// Engines that change while they serve: other rules, another model.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "answer_sink.h"
#include "engine_fixture.h"
#include "error_text.h"
#include "idle_workers.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

using Specs = std::vector<TensorSpec>;
using Instances = std::vector<std::shared_ptr<Executable>>;
using WaitStatus = Request::WaitStatus;

/// Answers like EchoModel and tells when it goes. Says of itself what it is told to.
class MortalModel final : public EchoModel {
 public:
  explicit MortalModel(std::function<void()> on_end = {}, Specs inputs = {}, Specs outputs = {})
      : EchoModel(std::move(inputs)), on_end_(std::move(on_end)), outputs_(std::move(outputs)) {}
  ~MortalModel() override {
    if (on_end_) on_end_();
  }
  [[nodiscard]] const Specs& outputs() const noexcept override { return outputs_; }
  [[nodiscard]] int64_t max_rows() const noexcept override { return max_rows_; }
  void run(Batch& batch) override {
    if (script) script();
    echo(batch);
  }

  std::function<void()> script;
  int64_t max_rows_ = 0;

 private:
  const std::function<void()> on_end_;
  const Specs outputs_;
};

class EngineChangeTest : public EngineFixture {
 protected:
  static bool answered(Request& request, int id) {
    return request.wait() == WaitStatus::kEnded && Rows(id).doubled_by(request);
  }
};

// Other rules.

TEST_F(EngineChangeTest, AShorterDelayReleasesWhatWaits) {
  for (const int64_t delay : {int64_t{0}, kSoonNs}) {
    const auto engine = make(std::make_shared<EchoModel>(), batching_of(8, kHour));
    const auto request = engine->submit(Rows(1).inputs());
    await_idle_workers();  // until the hour is over
    engine->reconfigure(batching_of(8, delay));
    EXPECT_TRUE(answered(*request, 1));
    EXPECT_EQ(batches("idle"), delay == 0 ? 1 : 0);
    EXPECT_EQ(batches("delay"), delay == 0 ? 0 : 1);
  }
}

TEST_F(EngineChangeTest, AShorterDelayAsksACallerToLead) {
  const auto engine = make(std::make_shared<EchoModel>(), batching_of(8, kHour));
  SubmitOptions options;
  options.caller_waits = true;
  const auto request = engine->submit(Rows(1).inputs(), options);
  await_idle_workers();
  engine->reconfigure(batching_of(8));
  EXPECT_EQ(request->wait(), WaitStatus::kLead);
  engine->lead(request);
  EXPECT_TRUE(answered(*request, 1));
}

TEST_F(EngineChangeTest, ASmallerBatchIsFullSooner) {
  const auto model = std::make_shared<GatedModel>();
  model->open();
  const auto engine = make(model, batching_of(8, kHour));
  std::vector<std::shared_ptr<Request>> requests;
  requests.push_back(engine->submit(Rows(10, 5).inputs()));
  for (const int id : {1, 2}) requests.push_back(engine->submit(Rows(id).inputs()));
  engine->reconfigure(batching_of(2, kHour));
  for (const auto& request : requests) EXPECT_EQ(request->wait(), WaitStatus::kEnded);
  ASSERT_EQ(model->seen().size(), 2U);
  EXPECT_EQ(model->seen()[0].rows, 5);  // what was accepted stays accepted
  EXPECT_EQ(model->seen()[1].rows, 2);
  EXPECT_EQ(batches("full"), 2);
  EXPECT_THROW((void)engine->submit(Rows(1, 3).inputs()), ShapeError);
}

TEST_F(EngineChangeTest, TheQueuesLimitIsTheNewOneAndNobodyWaitsForRoom) {
  Batching batching = batching_of(8, kHour);
  const auto engine = make(std::make_shared<EchoModel>(), batching);
  EXPECT_EQ(value("inference_queue_limit"), 1024);
  (void)engine->submit(Rows(1).inputs());
  batching.max_queue_size = 1;
  engine->reconfigure(batching);
  EXPECT_EQ(value("inference_queue_limit"), 1);
  EXPECT_THROW((void)engine->submit(Rows(2).inputs()), QueueFullError);
  batching.max_queue_size = 2;
  engine->reconfigure(batching);
  EXPECT_NE(engine->submit(Rows(2).inputs()), nullptr);
}

TEST_F(EngineChangeTest, RulesThatAreRefusedChangeNothing) {
  const auto model = std::make_shared<MortalModel>();
  model->max_rows_ = 4;
  const auto engine = make(model, batching_of(4, kHour));
  EXPECT_EQ(error_of([&] { engine->reconfigure(batching_of(0)); }),
            "max_batch_size: got 0, want 1 to 1048576");
  EXPECT_EQ(error_of([&] { engine->reconfigure(batching_of(5)); }),
            "max_batch_size: got 5, want at most 4: the model's batch dimension is fixed");
  EXPECT_EQ(engine->batching().max_batch_size, 4);
  EXPECT_EQ(engine->batching().max_queue_delay_ns, kHour);
}

// Another model.

TEST_F(EngineChangeTest, WhatWasAcceptedFinishesOnTheOldModelAndTheRestGoesToTheNew) {
  const auto old_one = std::make_shared<GatedModel>(kFour);
  const auto new_one = std::make_shared<GatedModel>(kFour);
  new_one->open();
  const auto engine = make(old_one);
  std::vector<std::shared_ptr<Request>> requests;
  requests.push_back(engine->submit(Rows(0).inputs()));
  old_one->await_runs(1);
  for (const int id : {1, 2}) requests.push_back(engine->submit(Rows(id).inputs()));
  engine->swap({new_one});
  for (const int id : {3, 4}) requests.push_back(engine->submit(Rows(id).inputs()));
  EXPECT_TRUE(new_one->seen().empty());
  old_one->open();
  for (int id = 0; id < 5; ++id) {
    EXPECT_TRUE(answered(*requests[static_cast<size_t>(id)], id)) << id;
  }
  ASSERT_EQ(old_one->seen().size(), 2U);
  EXPECT_EQ(old_one->seen()[1].ids, (std::vector<float>{1, 2}));
  ASSERT_EQ(new_one->seen().size(), 1U);
  EXPECT_EQ(new_one->seen()[0].ids, (std::vector<float>{3, 4}));
  AnswerMemory answer;
  EXPECT_TRUE(engine->try_run_here(Rows(5).inputs(), answer).ran);
  EXPECT_EQ(new_one->seen().size(), 2U);
}

// A call with a deadline runs on its caller's thread only where the model is known to be quick.
TEST_F(EngineChangeTest, WhatTheOldModelTakesSaysNothingOfTheNewOne) {
  const auto old_one = std::make_shared<GatedModel>(kFour);
  const auto engine = make(old_one);
  const auto late = engine->submit(Rows(1).inputs());
  old_one->await_runs(1);
  engine->swap({std::make_shared<EchoModel>(kFour)});
  old_one->open();
  EXPECT_TRUE(answered(*late, 1));
  AnswerMemory answer;
  EXPECT_FALSE(engine->try_run_here(Rows(2).inputs(), answer, with_timeout(kLongNs)).ran);
  EXPECT_TRUE(answered(*engine->submit(Rows(3).inputs()), 3));  // its own cost is known now
  EXPECT_TRUE(engine->try_run_here(Rows(4).inputs(), answer, with_timeout(kLongNs)).ran);
}

TEST_F(EngineChangeTest, AModelThatNobodyUsesGoesAtOnceAndNotUnderTheLock) {
  std::unique_ptr<Engine> engine;
  std::optional<int64_t> largest_batch;
  // Whoever held the engine's lock could not ask it anything.
  engine = make(
      std::make_shared<MortalModel>([&] { largest_batch = engine->batching().max_batch_size; }));
  engine->swap({std::make_shared<EchoModel>()});
  EXPECT_EQ(largest_batch, 64);
}

TEST_F(EngineChangeTest, AModelGoesWithTheLastRequestThatWasAcceptedForIt) {
  std::unique_ptr<Engine> engine;
  std::atomic<bool> gone{false};
  engine =
      make(std::make_shared<MortalModel>([&] { gone = engine->batching().max_batch_size > 0; }),
           batching_of(8, kHour));
  const auto request = engine->submit(Rows(1).inputs());
  const auto cancelled = engine->submit(Rows(2).inputs());
  engine->swap({std::make_shared<EchoModel>()});
  EXPECT_FALSE(gone);
  EXPECT_TRUE(engine->cancel(cancelled, false));
  EXPECT_FALSE(gone);
  const auto fresh = engine->submit(Rows(3).inputs());  // pushes the old model's group out
  EXPECT_TRUE(answered(*request, 1));
  await_idle_workers();
  EXPECT_TRUE(gone);
  EXPECT_FALSE(fresh->ended());
}

// Who has an answer has seen its batch let go of the model, so that swap() finds it idle.
TEST_F(EngineChangeTest, AModelWhoseAnswersAreThereGoesAtOnce) {
  int gone = 0;
  const auto make_model = [&gone] {
    return std::make_shared<MortalModel>([&gone] { ++gone; }, kFour);
  };
  const auto engine = make(make_model());
  for (int round = 1; round <= 500; ++round) {
    EXPECT_TRUE(answered(*engine->submit(Rows(round).inputs()), round));
    engine->swap({make_model()});
    ASSERT_EQ(gone, round);
  }
}

TEST_F(EngineChangeTest, AModelThatIsSwappedOutWhileACallerRunsItGoesWithTheCall) {
  std::unique_ptr<Engine> engine;
  bool gone = false;
  auto model = std::make_shared<MortalModel>([&] { gone = true; }, kFour);
  model->script = [&] {
    engine->swap({std::make_shared<EchoModel>(kFour)});
    EXPECT_FALSE(gone);
  };
  engine = make(std::move(model));
  AnswerMemory answer;
  EXPECT_EQ(engine->try_run_here(Rows(1).inputs(), answer).outcome, Outcome::kSuccess);
  EXPECT_TRUE(Rows(1).doubled_in(answer.view(0)));
  EXPECT_TRUE(gone);
}

TEST_F(EngineChangeTest, ACancelledRequestDoesNotKeepItsModel) {
  bool gone = false;
  const auto engine =
      make(std::make_shared<MortalModel>([&] { gone = true; }, kFour), batching_of(8, kHour));
  const auto request = engine->submit(Rows(1).inputs());
  engine->swap({std::make_shared<EchoModel>(kFour)});
  EXPECT_TRUE(engine->cancel(request, false));
  EXPECT_TRUE(gone);
}

TEST_F(EngineChangeTest, AModelUnlikeThePresentOneIsRefused) {
  const Specs answers = {{"y", DType::kFloat32, Shape({-1, 4})}};
  Specs ints = answers;
  ints[0].dtype = DType::kInt64;
  Specs five = kFour;
  five[0].shape = Shape({-1, 5});
  const auto model = [](const Specs& inputs, const Specs& outputs, int64_t max_rows = 0) {
    auto made = std::make_shared<MortalModel>([] {}, inputs, outputs);
    made->max_rows_ = max_rows;
    return made;
  };
  const auto present = model(kFour, answers);
  const auto engine = make(present, batching_of(8));
  const auto refusal = [&](const Instances& instances) {
    return error_of([&] { engine->swap(instances); });
  };
  EXPECT_EQ(refusal({present, present}), "swap: got 2 instances, want 1 as before");
  EXPECT_EQ(refusal({}), "instances: got none, want one or more");
  EXPECT_EQ(refusal({nullptr}), "model: got null, want a model");
  EXPECT_EQ(refusal({model(five, answers)}),
            "got a model with input 'x' float32 (-1, 5), want 'x' float32 (-1, 4) as before");
  EXPECT_EQ(refusal({model(kFour, ints)}),
            "got a model with output 'y' int64 (-1, 4), want 'y' float32 (-1, 4) as before");
  EXPECT_EQ(refusal({model(kFour, answers, 7)}),
            "max_batch_size: got 8, want at most 7: the model's batch dimension is fixed");
  EXPECT_EQ(refusal({model(kFour, answers, 8)}), "");
  EXPECT_TRUE(answered(*engine->submit(Rows(1).inputs()), 1));
}

TEST_F(EngineChangeTest, NamesThatAnAnswerGaveItsOutputsAreNotComparedWithDeclaredOnes) {
  const Specs declared = {{"y", DType::kFloat32, Shape({-1, 4})}};
  const auto silent = std::make_shared<EchoModel>(kFour);
  const auto engine = make(silent);
  EXPECT_TRUE(answered(*engine->submit(Rows(1).inputs()), 1));
  ASSERT_EQ(engine->outputs().size(), 1U);
  EXPECT_EQ(engine->outputs()[0].name, "0");
  engine->swap({std::make_shared<MortalModel>([] {}, kFour, declared)});
  EXPECT_EQ(engine->outputs()[0].name, "y");
  EXPECT_TRUE(answered(*engine->submit(Rows(2).inputs()), 2));
}

TEST_F(EngineChangeTest, WhatAnAnswerSaidOfTheOutputsIsComparedAllTheSame) {
  const auto engine = make(std::make_shared<EchoModel>(kFour));
  EXPECT_TRUE(answered(*engine->submit(Rows(1).inputs()), 1));
  const auto refusal = [&](const Specs& outputs) {
    return error_of([&] { engine->swap({std::make_shared<MortalModel>([] {}, kFour, outputs)}); });
  };
  EXPECT_EQ(refusal({{"y", DType::kInt64, Shape({-1, 4})}}),
            "got a model with output 'y' int64 (-1, 4), want '0' float32 (-1, 4) as before");
  EXPECT_EQ(refusal({{"y", DType::kFloat32, Shape({-1, 5})}}),
            "got a model with output 'y' float32 (-1, 5), want '0' float32 (-1, 4) as before");
  EXPECT_EQ(refusal({kFour[0], kFour[0]}), "got a model with 2 outputs, want 1 as before");
  EXPECT_EQ(refusal({{"y", DType::kFloat32, Shape({-1, -1})}}), "");  // 4 is one of any number
}

TEST_F(EngineChangeTest, AModelThatDeclaresNothingAnswersAsTheOneBeforeDeclared) {
  const Specs declared = {{"y", DType::kFloat32, Shape({-1, 4})}};
  const Specs other = {{"z", DType::kFloat32, Shape({-1, 4})}};
  const auto engine = make(std::make_shared<MortalModel>([] {}, kFour, declared));
  bool twice = false;
  engine->swap({std::make_shared<ScriptedModel>([&](Batch& batch) {
    if (!twice) return true;
    for (const size_t i : {0U, 1U}) {
      (void)batch.allocate_output(i, DType::kFloat32, batch.inputs()[0].shape);
    }
    return false;
  })});
  EXPECT_EQ(engine->outputs()[0].name, "y");
  EXPECT_TRUE(answered(*engine->submit(Rows(1).inputs()), 1));
  EXPECT_EQ(error_of([&] { engine->swap({std::make_shared<MortalModel>([] {}, kFour, other)}); }),
            "got a model with output 'z' float32 (-1, 4), want 'y' float32 (-1, 4) as before");
  twice = true;
  const auto request = engine->submit(Rows(2).inputs());
  EXPECT_EQ(request->wait(), WaitStatus::kEnded);
  EXPECT_EQ(request->outcome(), Outcome::kFailure);
}

TEST_F(EngineChangeTest, TheFirstModelThatKnowsItsInputsFixesThem) {
  const auto engine = make(std::make_shared<EchoModel>());
  engine->swap({std::make_shared<EchoModel>(kFour)});
  ASSERT_EQ(engine->inputs().size(), 1U);
  EXPECT_EQ(engine->inputs()[0].name, "x");
  EXPECT_THROW((void)engine->submit(Rows(1, 1, 5).inputs()), ShapeError);
  EXPECT_TRUE(answered(*engine->submit(Rows(1).inputs()), 1));
  EXPECT_THROW(
      engine->swap({std::make_shared<EchoModel>(Specs{{"x", DType::kFloat32, Shape({-1, 5})}})}),
      ConfigError);
}

}  // namespace
}  // namespace inferometer
