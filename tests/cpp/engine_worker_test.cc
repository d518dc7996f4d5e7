// How an engine forms and runs batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine_fixture.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

class EngineWorkerTest : public EngineFixture {
 protected:
  void submit(Engine& engine, int id, int64_t rows = 1, int64_t width = 4) {
    rows_.emplace_back(id, rows, width);
    requests_.push_back(engine.submit(rows_.back().inputs()));
  }
  void expect_all_right() {
    for (size_t i = 0; i < requests_.size(); ++i) {
      EXPECT_EQ(requests_[i]->wait(), Request::WaitStatus::kEnded);
      EXPECT_TRUE(rows_[i].doubled_by(*requests_[i])) << "request " << i;
    }
  }
  // What the model's error says; empty if it did not fail.
  static std::string failure(Request& request) {
    (void)request.wait();
    if (request.outcome() != Outcome::kFailure) return "";
    try {
      std::rethrow_exception(request.error());
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  std::vector<Rows> rows_;
  std::vector<std::shared_ptr<Request>> requests_;
};

TEST_F(EngineWorkerTest, ABatchFormsWhileTheModelIsBusy) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make(model, batching_of(4));
  submit(*engine, 100);
  model->await_runs(1);
  EXPECT_TRUE(requests_[0]->running());
  for (int id = 0; id < 6; ++id) submit(*engine, id);
  EXPECT_EQ(value("inference_queue_depth"), 6);
  EXPECT_EQ(value("inference_in_flight"), 1);
  EXPECT_GT(value("inference_oldest_request_seconds"), 0);
  model->open();
  expect_all_right();
  const auto seen = model->seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].ids, (std::vector<float>{0, 1, 2, 3}));  // in order of arrival
  EXPECT_EQ(seen[2].ids, (std::vector<float>{4, 5}));
  EXPECT_EQ(batches("full"), 1);
  EXPECT_EQ(batches("idle"), 2);
  EXPECT_EQ(value("inference_batch_size_sum"), 7);
  EXPECT_EQ(requests_[1]->timing().batch_size, 4);
  EXPECT_EQ(requests_[1]->timing().reason, ReleaseReason::kFull);
  EXPECT_EQ(value("inference_queue_depth"), 0);
  EXPECT_EQ(value("inference_in_flight"), 0);
  EXPECT_EQ(value("inference_oldest_request_seconds"), 0);
}

TEST_F(EngineWorkerTest, ARequestOfSeveralRowsIsNeverSplit) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make(model, batching_of(8, kHour));
  submit(*engine, 10, 3);
  submit(*engine, 20, 4);
  submit(*engine, 30, 8);  // full in itself: wakes the worker, which first sends what came before
  submit(*engine, 40, 5);
  submit(*engine, 50, 5);
  model->open();
  for (int i = 0; i < 4; ++i) (void)requests_[static_cast<size_t>(i)]->wait();
  EXPECT_TRUE(engine->drain(kLongNs));
  expect_all_right();
  std::vector<int64_t> sizes;
  for (const SeenBatch& batch : model->seen()) sizes.push_back(batch.rows);
  EXPECT_EQ(sizes, (std::vector<int64_t>{7, 8, 5, 5}));
  EXPECT_EQ(batches("full"), 3);
  EXPECT_EQ(batches("drain"), 1);
}

TEST_F(EngineWorkerTest, TheDelayEndsForAFullBatch) {
  const auto engine = make(std::make_shared<EchoModel>(), batching_of(4, kHour));
  for (int id = 0; id < 4; ++id) submit(*engine, id);
  expect_all_right();
  EXPECT_EQ(batches("full"), 1);
}

TEST_F(EngineWorkerTest, TheDelayEndsForALoneRequest) {
  const auto engine = make(std::make_shared<EchoModel>(), batching_of(4, kSoonNs));
  submit(*engine, 1);
  expect_all_right();
  EXPECT_EQ(batches("delay"), 1);
  EXPECT_GE(requests_[0]->timing().queue_ns, kSoonNs);
  EXPECT_GE(requests_[0]->timing().total_ns,
            requests_[0]->timing().queue_ns + requests_[0]->timing().compute_ns);
}

TEST_F(EngineWorkerTest, TheDelayEndsForAnotherShape) {
  const auto engine = make(std::make_shared<EchoModel>(kAnyWidth), batching_of(8, kHour));
  submit(*engine, 1, 1, 4);
  submit(*engine, 2, 2, 4);
  submit(*engine, 3, 1, 7);
  (void)requests_[1]->wait();
  EXPECT_EQ(batches("shape"), 1);
  EXPECT_TRUE(engine->drain(kLongNs));
  EXPECT_EQ(batches("drain"), 1);
  expect_all_right();
}

TEST_F(EngineWorkerTest, ShapesThatAlternateAreGathered) {
  const auto model = std::make_shared<GatedModel>(kAnyWidth);
  const auto engine = make(model, batching_of(8));
  submit(*engine, 0);
  model->await_runs(1);
  for (int id = 1; id <= 20; ++id) submit(*engine, id, 1, 1 + id % 2);
  model->open();
  expect_all_right();
  // 10 of each shape wait: 8 of the one, 8 of the other, then what is left of both.
  EXPECT_EQ(batches("full"), 2);
  EXPECT_EQ(batches("shape"), 1);
  for (const SeenBatch& batch : model->seen()) EXPECT_TRUE(std::ranges::is_sorted(batch.ids));
}

TEST_F(EngineWorkerTest, AnExceptionFailsItsBatchAndNoOther) {
  std::atomic<bool> fail{true};
  const auto engine = make(std::make_shared<ScriptedModel>([&](Batch&) {
                             if (fail) throw std::runtime_error("broken weights");
                             return true;
                           }),
                           batching_of(3, kHour));
  for (int id = 0; id < 3; ++id) submit(*engine, id);
  for (const auto& request : requests_) {
    EXPECT_EQ(failure(*request), "broken weights");
    EXPECT_TRUE(request->outputs().empty());
    EXPECT_EQ(request->timing().batch_size, 3);
  }
  EXPECT_EQ(ended("failure"), 3);
  fail = false;
  rows_.clear();
  requests_.clear();
  for (int id = 0; id < 3; ++id) submit(*engine, id);
  expect_all_right();
  EXPECT_EQ(ended("failure"), 3);
  EXPECT_EQ(ended("success"), 3);
  EXPECT_EQ(all_batches(), 2);
}

TEST_F(EngineWorkerTest, AModelMayFailSingleRequestsOfItsBatch) {
  const auto engine = make(std::make_shared<ScriptedModel>([](Batch& batch) {
                             batch.fail(1, std::make_exception_ptr(std::runtime_error("torn")));
                             return true;
                           }),
                           batching_of(6, kHour));
  submit(*engine, 10, 2);
  submit(*engine, 20, 3);
  submit(*engine, 30, 1);
  EXPECT_EQ(failure(*requests_[1]), "torn");
  EXPECT_TRUE(requests_[1]->outputs().empty());
  for (const size_t other : {size_t{0}, size_t{2}}) {
    EXPECT_EQ(requests_[other]->wait(), Request::WaitStatus::kEnded);
    EXPECT_TRUE(rows_[other].doubled_by(*requests_[other]));
  }
  EXPECT_EQ(ended("failure"), 1);
  EXPECT_EQ(ended("success"), 2);
  EXPECT_EQ(registry_->sample_value("nv_inference_count", {{"model", "m"}, {"version", "1"}}), 3);
  EXPECT_EQ(all_batches(), 1);
}

TEST_F(EngineWorkerTest, ARequestsOwnFailureOutlivesThatOfItsBatch) {
  const auto engine = make(std::make_shared<ScriptedModel>([](Batch& batch) -> bool {
                             batch.fail(0, std::make_exception_ptr(std::runtime_error("mine")));
                             throw std::runtime_error("everybody's");
                           }),
                           batching_of(2, kHour));
  submit(*engine, 1);
  submit(*engine, 2);
  EXPECT_EQ(failure(*requests_[0]), "mine");
  EXPECT_EQ(failure(*requests_[1]), "everybody's");
  EXPECT_EQ(ended("failure"), 2);
}

TEST_F(EngineWorkerTest, WhateverAModelThrowsReachesItsCallers) {
  int run = 0;
  const auto engine = make(std::make_shared<ScriptedModel>([&](Batch& batch) -> bool {
    if (++run == 1) throw std::bad_alloc();
    if (run == 2) throw 5;  // NOLINT(hicpp-exception-baseclass): a foreign model may
    if (run == 3) {
      (void)batch.allocate_output(0, DType::kFloat32, Shape({int64_t{1} << 60}));
      return false;
    }
    return true;
  }));
  for (int id = 0; id < 4; ++id) {
    submit(*engine, id);
    (void)requests_.back()->wait();
  }
  EXPECT_THROW(std::rethrow_exception(requests_[0]->error()), std::bad_alloc);
  EXPECT_THROW(std::rethrow_exception(requests_[1]->error()), int);
  EXPECT_THROW(std::rethrow_exception(requests_[2]->error()), std::bad_alloc);
  EXPECT_TRUE(rows_[3].doubled_by(*requests_[3]));
}

TEST_F(EngineWorkerTest, BreachesOfTheContractNameGotAndWanted) {
  using Breach = BrokenModel::Breach;
  const std::vector<std::pair<Breach, std::string>> cases = {
      {Breach::kRows, "the model returned 3 rows for output 0, want 2, one for each input row"},
      {Breach::kNoOutput, "the model returned no output, want one or more"},
      {Breach::kScalar, "output 0 is a scalar, want rows first: (2, ...)"},
      {Breach::kOutOfOrder, "the model filled output 1, want output 0 next"},
      {Breach::kObjects, "the model answered tensors with objects, want tensors"},
  };
  for (const auto& [breach, want] : cases) {
    Engine engine(std::make_shared<BrokenModel>(breach), options_of(nullptr));
    const auto request = engine.submit(Rows(0, 2).inputs());
    EXPECT_EQ(failure(*request), want);
    EXPECT_TRUE(engine.outputs().empty());
  }
}

TEST_F(EngineWorkerTest, TheFirstAnswerFixesTheOutputs) {
  int run = 0;
  const auto engine = make(std::make_shared<ScriptedModel>([&](Batch& batch) {
    if (++run == 1) return true;
    (void)batch.allocate_output(0, DType::kInt64, Shape({batch.rows(), 4}));
    if (run == 3) (void)batch.allocate_output(1, DType::kInt64, Shape({batch.rows(), 4}));
    return false;
  }));
  submit(*engine, 1);
  expect_all_right();
  ASSERT_EQ(engine->outputs().size(), 1U);
  EXPECT_EQ(engine->outputs()[0].shape, Shape({-1, 4}));
  EXPECT_EQ(failure(*engine->submit(Rows(1).inputs())),
            "the model returned int64 for output 0, want float32");
  EXPECT_EQ(failure(*engine->submit(Rows(1).inputs())), "the model returned 2 outputs, want 1");
}

TEST_F(EngineWorkerTest, MemoryThatTheModelKeepsIsNeverWrittenAgain) {
  const auto model = std::make_shared<KeepingModel>();
  const auto engine = make(model, batching_of(4));
  for (int id = 0; id < 200; ++id) submit(*engine, id, 1 + id % 3);
  expect_all_right();
  std::vector<KeepingModel::Kept> kept = model->take();
  const auto unchanged = [](const KeepingModel::Kept& batch) {
    return std::ranges::equal(batch.view.as<float>(), batch.copy);
  };
  for (int id = 0; id < 200; ++id) submit(*engine, id, 1 + id % 3);
  expect_all_right();
  EXPECT_TRUE(std::ranges::all_of(kept, unchanged));
  (void)model->take();
  requests_.clear();
  engine->close();
  EXPECT_TRUE(std::ranges::all_of(kept, unchanged));
}

TEST_F(EngineWorkerTest, TheModelsTimeIsSplitWhereItSaysSo) {
  StoppedClock clock(1);
  // Six rows are a full batch: nothing goes before all of it is there, whenever the worker looks.
  EngineOptions options = options_of(registry_, batching_of(6, 3600 * kNanosPerSecond));
  options.clock = &clock;
  Engine engine(std::make_shared<ScriptedModel>([&](Batch& batch) {
                  clock.advance(5'999);
                  batch.computed();
                  clock.advance(2'999);
                  return true;
                }),
                options);
  SubmitOptions together;
  together.flush_later = true;
  for (int id = 0; id < 3; ++id) {
    rows_.emplace_back(id, 2);
    requests_.push_back(engine.submit(rows_.back().inputs(), together));
    clock.advance(1'500);
  }
  flush(engine);
  expect_all_right();
  const auto counted = [&](const std::string& name) {
    return registry_->sample_value("nv_inference_" + name, {{"model", "m"}, {"version", "1"}});
  };
  EXPECT_EQ(counted("compute_input_duration_us"), 0);
  EXPECT_EQ(counted("compute_infer_duration_us"), 3 * 5);
  EXPECT_EQ(counted("compute_output_duration_us"), 3 * 2);
  EXPECT_EQ(counted("queue_duration_us"), 4 + 3 + 1);
  EXPECT_EQ(counted("request_duration_us"), 13 + 11 + 10);
  EXPECT_EQ(counted("count"), 6);
  EXPECT_EQ(counted("exec_count"), 1);
  EXPECT_DOUBLE_EQ(value("inference_compute_seconds_sum"), 8.998e-6);  // both parts
}

TEST_F(EngineWorkerTest, AModelWithoutARegistryRunsUnrecorded) {
  Engine engine(std::make_shared<EchoModel>(), options_of(nullptr));
  submit(engine, 1);
  expect_all_right();
  EXPECT_FALSE(engine.stats().recording);
  EXPECT_EQ(engine.stats().queue_depth, 0);
}

}  // namespace
}  // namespace inferometer
