// Engines whose devices fail: with too little memory, or for good.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "answer_sink.h"
#include "engine_fixture.h"
#include "error_text.h"

namespace inferometer {
namespace {

using Instances = std::vector<std::shared_ptr<Executable>>;
using WaitStatus = Request::WaitStatus;

/// Runs like EchoModel on a device that can be broken. Thread-safe.
class DeviceModel final : public EchoModel {
 public:
  DeviceModel() : EchoModel(kFour) {}

  [[nodiscard]] bool healthy() const noexcept override { return !lost; }
  [[nodiscard]] const void* weights() const noexcept override { return weights_at; }
  [[nodiscard]] int64_t weights_bytes() const noexcept override { return 1000; }
  [[nodiscard]] bool may_block() const noexcept override { return on_workers; }
  void run(Batch& batch) override {
    ++runs;
    if (lost) throw DeviceError("cudaErrorIllegalAddress", DeviceFault::kLost);
    if (out_of_memory.exchange(false)) {
      throw DeviceError("cudaErrorMemoryAllocation", DeviceFault::kOutOfMemory);
    }
    echo(batch);
    batch.copied(7'000, 3'000);
  }

  std::atomic<bool> lost{false};
  std::atomic<bool> out_of_memory{false};
  std::atomic<int> runs{0};
  const void* weights_at = nullptr;
  bool on_workers = true;
};

class EngineHealthTest : public EngineFixture {
 protected:
  std::unique_ptr<Engine> make_on(const Instances& models) {
    return std::make_unique<Engine>(models, options_of(registry_));
  }
  double errors(std::string_view kind) const {
    return value("inferometer_device_errors_total", {{"kind", std::string(kind)}});
  }
  static bool answered(Engine& engine, int id) {
    const auto request = engine.submit(Rows(id).inputs());
    return request->wait() == WaitStatus::kEnded && Rows(id).doubled_by(*request);
  }
  static Outcome outcome_of(Engine& engine) {
    const auto request = engine.submit(Rows(1).inputs());
    EXPECT_EQ(request->wait(), WaitStatus::kEnded);
    return request->outcome();
  }
  static std::shared_ptr<DeviceModel> model() { return std::make_shared<DeviceModel>(); }
};

TEST_F(EngineHealthTest, ErrorsOfEveryKindAreCountedFromZero) {
  const auto engine = make_on({model()});
  for (const char* kind : {"out_of_memory", "lost", "other"}) EXPECT_EQ(errors(kind), 0) << kind;
}

TEST_F(EngineHealthTest, ABatchWithoutMemoryFailsAndTheEngineGoesOn) {
  const auto device = model();
  const auto engine = make_on({device});
  device->out_of_memory = true;
  const auto request = engine->submit(Rows(1).inputs());
  EXPECT_EQ(request->wait(), WaitStatus::kEnded);
  EXPECT_EQ(request->outcome(), Outcome::kFailure);
  EXPECT_THROW(std::rethrow_exception(request->error()), DeviceError);
  EXPECT_EQ(errors("out_of_memory"), 1);
  EXPECT_TRUE(engine->ready());
  EXPECT_TRUE(answered(*engine, 2));
}

TEST_F(EngineHealthTest, ALoneCallIsCountedTheSame) {
  const auto device = model();
  device->on_workers = false;
  const auto engine = make_on({device});
  device->lost = true;
  AnswerMemory answer;
  const EndedCall call = engine->try_run_here(Rows(1).inputs(), answer);
  EXPECT_TRUE(call.ran);
  EXPECT_EQ(call.outcome, Outcome::kFailure);
  EXPECT_EQ(errors("lost"), 1);
  EXPECT_FALSE(engine->ready());
}

TEST_F(EngineHealthTest, ALostInstanceRestsWhileAnotherServes) {
  const auto first = model();
  const auto second = model();
  const auto engine = make_on({first, second});
  first->lost = true;
  EXPECT_EQ(outcome_of(*engine), Outcome::kFailure);  // the first that is free
  for (int id = 0; id < 20; ++id) EXPECT_TRUE(answered(*engine, id));
  EXPECT_EQ(first->runs, 1);
  EXPECT_TRUE(engine->ready());
  EXPECT_EQ(errors("lost"), 1);
  EXPECT_TRUE(engine->drain(kLongNs)) << "an instance that rests holds nothing up";
}

TEST_F(EngineHealthTest, WithAllInstancesLostRequestsFailAtOnceAndTheEngineIsNotReady) {
  const auto first = model();
  const auto second = model();
  const auto engine = make_on({first, second});
  first->lost = second->lost = true;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcome_of(*engine), Outcome::kFailure);
  EXPECT_FALSE(engine->ready());
  EXPECT_EQ(errors("lost"), 10);
  EXPECT_EQ(ended("failure"), 10);
  EXPECT_TRUE(engine->drain(kLongNs));
}

TEST_F(EngineHealthTest, ASwapBringsItBack) {
  const auto first = model();
  const auto second = model();
  const auto engine = make_on({first, second});
  first->lost = true;
  EXPECT_EQ(outcome_of(*engine), Outcome::kFailure);
  const auto fresh = model();
  engine->swap({fresh, model()});
  EXPECT_TRUE(answered(*engine, 1));
  EXPECT_EQ(fresh->runs, 1) << "the first instance runs again";
  fresh->lost = true;
  EXPECT_EQ(outcome_of(*engine), Outcome::kFailure);
  EXPECT_TRUE(engine->ready());
}

TEST_F(EngineHealthTest, ASwapAfterAllAreLostMakesItReady) {
  const auto device = model();
  const auto engine = make_on({device});
  device->lost = true;
  EXPECT_EQ(outcome_of(*engine), Outcome::kFailure);
  EXPECT_FALSE(engine->ready());
  engine->swap({model()});
  EXPECT_TRUE(engine->ready());
  EXPECT_TRUE(answered(*engine, 3));
}

TEST_F(EngineHealthTest, WhatIsLeftOfTheOldModelDoesNotMarkTheNewOne) {
  const auto old_one = std::make_shared<GatedModel>(kFour);
  const auto engine = make(old_one);
  const auto running = engine->submit(Rows(0).inputs());
  old_one->await_runs(1);
  const auto broken = model();
  broken->lost = true;
  engine->swap({broken});
  const auto doomed = engine->submit(Rows(1).inputs());  // of the broken model, and waits
  engine->swap({model()});
  old_one->open();
  EXPECT_EQ(doomed->wait(), WaitStatus::kEnded);
  EXPECT_EQ(doomed->outcome(), Outcome::kFailure);
  EXPECT_EQ(running->wait(), WaitStatus::kEnded);
  EXPECT_TRUE(engine->ready());
  EXPECT_TRUE(answered(*engine, 2));
}

TEST_F(EngineHealthTest, CopyingIsTimedApartFromComputing) {
  const auto engine = make_on({model()});
  EXPECT_TRUE(answered(*engine, 1));
  const auto triton = [&](const char* name) {
    return registry_->sample_value(name, {{"model", "m"}, {"version", "1"}}).value_or(-1);
  };
  EXPECT_GE(triton("nv_inference_compute_input_duration_us"), 7);
  EXPECT_GE(triton("nv_inference_compute_output_duration_us"), 3);
}

TEST_F(EngineHealthTest, WeightsCountOnceForEachDevice) {
  const auto first = model();
  const auto second = model();
  const auto third = model();
  first->weights_at = second->weights_at = first.get();
  third->weights_at = third.get();
  const auto engine = make_on({first, second, third});
  EXPECT_EQ(value("inferometer_model_memory_bytes", {{"kind", "weights"}}), 2000);
}

}  // namespace
}  // namespace inferometer
