// What happens at an engine's door.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "idle_workers.h"
#include "inferometer/completion_queue.h"

namespace inferometer {
namespace {

class EngineSubmitTest : public EngineFixture {
 protected:
  static TensorView nowhere(const Shape& shape, DType dtype = DType::kFloat32) {
    static const std::byte somewhere[64] = {};
    return {dtype, shape, somewhere};
  }
  // The kind and text of what submit() throws.
  static std::string refusal(Engine& engine, const std::vector<NamedInput>& inputs) {
    try {
      (void)engine.submit(inputs);
    } catch (const InputError& error) {
      return std::string("input: ") + error.what();
    } catch (const ShapeError& error) {
      return std::string("shape: ") + error.what();
    } catch (const DTypeError& error) {
      return std::string("dtype: ") + error.what();
    }
    return "";
  }
};

TEST_F(EngineSubmitTest, EachOfManyCallersGetsItsOwnRows) {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  Batching batching;
  batching.max_batch_size = 16;
  const auto engine = make(std::make_shared<EchoModel>(), batching);
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < kEach; i += 2) {  // two at a time, so that they overlap
        const Rows first(1000 * t + i, 1 + (i + t) % 5);
        const Rows second(1000 * t + i + 1, 1 + (i + t) % 3);
        const auto a = engine->submit(first.inputs());
        const auto b = engine->submit(second.inputs());
        EXPECT_EQ(a->wait(), Request::WaitStatus::kEnded);
        EXPECT_EQ(b->wait(), Request::WaitStatus::kEnded);
        right += first.doubled_by(*a) ? 1 : 0;
        right += second.doubled_by(*b) ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, kThreads * kEach);
  EXPECT_EQ(ended("success"), kThreads * kEach);
  EXPECT_EQ(value("inference_latency_seconds_count"), kThreads * kEach);
  EXPECT_EQ(value("inference_queue_seconds_count"), kThreads * kEach);
  const EngineStats stats = engine->stats();
  EXPECT_EQ(stats.requests[0], static_cast<uint64_t>(kThreads) * kEach);
  EXPECT_EQ(stats.latency.count, stats.requests[0]);
  EXPECT_EQ(static_cast<double>(stats.compute.count), all_batches());
  EXPECT_GT(stats.telemetry_seconds, 0);
}

TEST_F(EngineSubmitTest, TheCallersArrayIsItsOwnAgainOnceSubmitted) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make(model);
  float values[4] = {1, 2, 3, 4};
  const TensorView view{DType::kFloat32, Shape({1, 4}), reinterpret_cast<const std::byte*>(values)};
  const auto request = engine->submit(std::vector<NamedInput>{{"", view}});
  std::ranges::fill(values, -1.0F);
  model->open();
  (void)request->wait();
  EXPECT_EQ(request->outputs()[0].as<float>()[3], 8);
}

TEST_F(EngineSubmitTest, InvalidRequestsAreCountedAndNeverAccepted) {
  const std::vector<TensorSpec> specs = {{"x", DType::kFloat32, Shape({-1, 4})}};
  const auto engine = make(std::make_shared<EchoModel>(specs));
  EXPECT_EQ(refusal(*engine, {{"y", nowhere(Shape({1, 4}))}}),
            "input: got unknown input 'y', want 'x'");
  EXPECT_EQ(refusal(*engine, {}), "input: missing input 'x', want 'x'");
  EXPECT_EQ(refusal(*engine, {{"x", nowhere(Shape({1, 5}))}}),
            "shape: input 'x': got shape (1, 5), want (-1, 4)");
  EXPECT_EQ(refusal(*engine, {{"x", nowhere(Shape({65, 4}))}}),
            "shape: input 'x': got 65 rows, want 1 to 64 (max_batch_size)");
  EXPECT_EQ(refusal(*engine, {{"x", nowhere(Shape({1, 4}), DType::kInt8)}}),
            "dtype: input 'x': got int8, want float32");
  engine->count_invalid();
  EXPECT_EQ(ended("invalid"), 6);
  EXPECT_EQ(value("inference_latency_seconds_count"), 0);
  EXPECT_EQ(value("inference_queue_depth"), 0);
}

TEST_F(EngineSubmitTest, AnUnusableFirstRequestFixesNothing) {
  const auto engine = make(std::make_shared<EchoModel>());
  const TensorView one = nowhere(Shape({1, 2}));
  EXPECT_EQ(refusal(*engine, {}), "input: got no inputs, want one or more");
  EXPECT_EQ(refusal(*engine, {{"a", one}, {"a", one}}), "input: got input 'a' twice");
  EXPECT_EQ(refusal(*engine, {{"a", one}, {"", one}}),
            "input: got an array without a name among 2, want a name for each");
  EXPECT_EQ(refusal(*engine, {{"", nowhere(Shape())}}),
            "shape: input 'input': got a scalar, want rows first: (rows, ...)");
  EXPECT_EQ(refusal(*engine, {{"", nowhere(Shape({0, 2}))}}),
            "shape: input 'input': got 0 rows, want 1 to 64 (max_batch_size)");
  EXPECT_TRUE(engine->inputs().empty());
  EXPECT_EQ(ended("invalid"), 5);

  const Rows rows(3);
  const auto request = engine->submit(rows.inputs());
  (void)request->wait();
  EXPECT_TRUE(rows.doubled_by(*request));
  EXPECT_EQ(engine->inputs().at(0).shape, Shape({-1, 4}));
  EXPECT_NE(refusal(*engine, {{"", nowhere(Shape({1, 5}))}}), "");
}

TEST_F(EngineSubmitTest, OneOfSeveralFirstRequestsFixesTheInputs) {
  for (int round = 0; round < 50; ++round) {
    Engine engine(std::make_shared<EchoModel>(), options_of(nullptr));
    std::atomic<int> accepted{0};
    std::vector<std::thread> callers;
    for (int width = 1; width <= 3; ++width) {
      callers.emplace_back([&, width] {
        const Rows rows(width, 1, width);
        try {
          const auto request = engine.submit(rows.inputs());
          (void)request->wait();
          EXPECT_TRUE(rows.doubled_by(*request));
          ++accepted;
        } catch (const ShapeError&) {
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(accepted, 1);
  }
}

TEST_F(EngineSubmitTest, AFullQueueRefusesTheNewest) {
  const auto model = std::make_shared<GatedModel>();
  Batching batching;
  batching.max_queue_size = 2;
  const auto engine = make(model, batching);
  std::vector<std::shared_ptr<Request>> accepted = {engine->submit(Rows(0).inputs())};
  model->await_runs(1);
  accepted.push_back(engine->submit(Rows(1).inputs()));
  accepted.push_back(engine->submit(Rows(2).inputs()));

  const auto queue = std::make_shared<CompletionQueue>();
  const auto attachment = std::make_shared<int>(1);
  SubmitOptions options;
  options.completions = queue;
  options.attachment = attachment;
  for (int i = 0; i < 3; ++i) {
    try {
      (void)engine->submit(Rows(3).inputs(), options);
      FAIL() << "want QueueFullError";
    } catch (const QueueFullError& error) {
      EXPECT_GT(error.retry_after_seconds(), 0);
      EXPECT_STREQ(error.what(),
                   "engine 'm': the queue is full: got 2 waiting requests, want fewer than 2 "
                   "(max_queue_size)");
    }
  }
  options = {};
  EXPECT_EQ(ended("rejected"), 3);
  EXPECT_EQ(attachment.use_count(), 1);
  EXPECT_EQ(queue.use_count(), 1);
  EXPECT_EQ(value("inference_queue_depth"), 2);
  model->release();
  model->await_runs(2);  // both that waited are running: there is room again, and a service time
  accepted.push_back(engine->submit(Rows(3).inputs()));
  accepted.push_back(engine->submit(Rows(4).inputs()));
  try {
    (void)engine->submit(Rows(5).inputs());
    FAIL() << "want QueueFullError";
  } catch (const QueueFullError& error) {
    EXPECT_GT(error.retry_after_seconds(), 0);
  }
  model->open();
  for (const auto& request : accepted) (void)request->wait();
  EXPECT_EQ(queue->wakeups(), 0U);
  EXPECT_EQ(ended("success"), 5);
  EXPECT_EQ(value("inference_latency_seconds_count"), 5);
}

TEST_F(EngineSubmitTest, WhatIsLateAlreadyNeverReachesTheModel) {
  std::atomic<int> runs{0};
  const auto engine = make(std::make_shared<ScriptedModel>([&](Batch&) { return ++runs > 0; }));
  constexpr int kEach = 100;
  for (int i = 0; i < kEach; ++i) {
    for (const int64_t timeout : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
      const auto request = engine->submit(Rows(i).inputs(), with_timeout(timeout));
      EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
      EXPECT_EQ(request->outcome(), Outcome::kTimeout);
      EXPECT_EQ(request->timing().batch_size, 0);
    }
  }
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(ended("timeout"), 3 * kEach);
  EXPECT_EQ(all_batches(), 0);
}

TEST_F(EngineSubmitTest, HugeTimeoutsAreNone) {
  const auto engine = make(std::make_shared<EchoModel>());
  for (const int64_t timeout : {kNever, kNever - 1, kNever - kNanosPerSecond}) {
    const auto request = engine->submit(Rows(1).inputs(), with_timeout(timeout));
    EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
    EXPECT_EQ(request->outcome(), Outcome::kSuccess);
    EXPECT_EQ(request->deadline_ns(), kNever);
  }
  const auto request = engine->submit(Rows(1).inputs(), with_timeout(kNever / 2));
  EXPECT_EQ(request->deadline_ns(), request->arrival_ns() + kNever / 2);
}

TEST_F(EngineSubmitTest, TheDefaultTimeoutIsForRequestsThatNameNone) {
  const auto model = std::make_shared<GatedModel>();
  Batching batching;
  batching.default_timeout_ns = kLongNs;
  const auto engine = make(model, batching);
  const auto first = engine->submit(Rows(1).inputs());
  EXPECT_EQ(first->deadline_ns(), first->arrival_ns() + kLongNs);
  model->await_runs(1);
  const auto second = engine->submit(Rows(1).inputs(), with_timeout(kSoonNs));
  EXPECT_EQ(second->wait(), Request::WaitStatus::kEnded);
  EXPECT_EQ(second->outcome(), Outcome::kTimeout);
  EXPECT_FALSE(first->ended());
  model->open();
}

TEST_F(EngineSubmitTest, ARequestKnowsWhatItWasSubmittedWith) {
  const auto engine = make(std::make_shared<EchoModel>());
  SubmitOptions options;
  options.completions = std::make_shared<CompletionQueue>();
  options.attachment = std::make_shared<int>(7);
  const auto request = engine->submit(Rows(1, 3).inputs(), options);
  (void)request->wait();
  engine->close();
  EXPECT_EQ(options.completions->take(), (std::vector{request}));
  EXPECT_EQ(request->attachment(), options.attachment);
  EXPECT_EQ(request->rows(), 3);
  EXPECT_EQ(request->deadline_ns(), kNever);
}

TEST_F(EngineSubmitTest, ALoopThatNeverTakesItsAnswersLeaksNothing) {
  SubmitOptions options;
  options.completions = std::make_shared<CompletionQueue>();
  const std::weak_ptr<CompletionQueue> queue = options.completions;
  auto engine = make(std::make_shared<EchoModel>());
  auto request = engine->submit(Rows(1).inputs(), options);
  (void)request->wait();
  engine.reset();
  request.reset();
  options.completions.reset();
  EXPECT_TRUE(queue.expired());
}

TEST_F(EngineSubmitTest, RequestsToWakeForLaterAreServedByOneWakeUp) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make(model);
  await_idle_workers();
  SubmitOptions later;
  later.flush_later = true;
  std::vector<std::shared_ptr<Request>> requests;
  for (int i = 0; i < 3; ++i) requests.push_back(engine->submit(Rows(i).inputs(), later));
  flush(*engine);
  model->await_runs(1);
  model->open();
  for (const auto& request : requests) {
    EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
    EXPECT_EQ(request->timing().batch_size, 3);
  }
  flush(*engine);  // nothing waits
}

TEST_F(EngineSubmitTest, RequestsToWakeForLaterAreServedWithAnybodyElses) {
  Batching batching;
  batching.max_queue_delay_ns = kSoonNs;
  const auto engine = make(std::make_shared<EchoModel>(), batching);
  SubmitOptions later;
  later.flush_later = true;
  const auto first = engine->submit(Rows(1).inputs(), later);
  const auto second = engine->submit(Rows(2).inputs());  // its submitter never calls wake()
  EXPECT_EQ(first->wait(), Request::WaitStatus::kEnded);
  EXPECT_EQ(second->wait(), Request::WaitStatus::kEnded);
  const auto third = engine->submit(Rows(3).inputs(), later);
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_TRUE(third->ended());
}

TEST_F(EngineSubmitTest, AnObjectForAModelOfTensorsIsRefused) {
  const auto engine = make(std::make_shared<EchoModel>());
  (void)engine->submit(Rows(1).inputs())->wait();  // fixes what the model takes
  EXPECT_THROW((void)engine->submit_object(std::make_shared<int>(1)), InputError);
  EXPECT_EQ(ended("invalid"), 1);
}

}  // namespace
}  // namespace inferometer
