#include "inferometer/delay_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "error_text.h"
#include "queued_request.h"
#include "serving/formed_batch.h"

namespace inferometer {
namespace {

int64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * kNanosPerSecond + used.tv_nsec;
}

/// Runs batches without an engine.
class DelayModelTest : public EngineFixture {
 protected:
  // A batch of one request with these rows.
  std::unique_ptr<FormedBatch> batch_of(const Rows& rows) {
    RequestQueue queue(pool_);
    append_rows(queue, rows.view());
    auto batch = std::make_unique<FormedBatch>(queue.take_all(), nullptr, ReleaseReason::kIdle,
                                               pool_, steady_clock());
    batch->gather(kFour);
    return batch;
  }
  // The wall time of one run.
  int64_t run_ns(DelayModel& model, int64_t rows) {
    const auto batch = batch_of(Rows(0, rows));
    const int64_t begin = steady_clock().now_ns();
    model.run(*batch);
    return steady_clock().now_ns() - begin;
  }
  static std::string refusal(double seconds, double per_row, std::vector<TensorSpec> inputs = {}) {
    return error_of([&] { const DelayModel model(seconds, per_row, std::move(inputs)); });
  }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
};

TEST_F(DelayModelTest, ARunTakesNoLessThanItsCost) {
  DelayModel slept(0.002, 0.0005);
  EXPECT_EQ(slept.cost_ns(4), 4'000'000);
  EXPECT_GE(run_ns(slept, 4), 4'000'000);
  DelayModel spun(20e-6);
  EXPECT_GE(run_ns(spun, 64), 20'000);
}

TEST_F(DelayModelTest, ItSleepsInsteadOfComputing) {
  DelayModel model(0.05);
  const auto batch = batch_of(Rows(0, 1));
  const int64_t before = thread_cpu_ns();
  model.run(*batch);
  EXPECT_LT(thread_cpu_ns() - before, 25'000'000);
}

TEST_F(DelayModelTest, ATimeBeyondAllClocksIsClamped) {
  const DelayModel model(1e300, 1e300);
  EXPECT_EQ(model.cost_ns(1), std::numeric_limits<int64_t>::max());
}

TEST_F(DelayModelTest, EveryRowIsAnsweredWithItself) {
  Engine engine(std::make_shared<DelayModel>(0, 0, kFour), options_of(registry_));
  EXPECT_EQ(engine.outputs()[0].name, "x");
  std::vector<Rows> sent;
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 50; ++id) {
    sent.emplace_back(id, 1 + id % 3);
    requests.push_back(engine.submit(sent.back().inputs()));
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    (void)requests[i]->wait();
    ASSERT_EQ(requests[i]->outcome(), Outcome::kSuccess);
    EXPECT_TRUE(
        std::ranges::equal(requests[i]->outputs()[0].as<float>(), sent[i].view().as<float>()));
  }
}

TEST_F(DelayModelTest, TheFirstRequestFixesTheSpecs) {
  const auto engine = make(std::make_shared<DelayModel>(0));
  EXPECT_TRUE(engine->inputs().empty());
  const std::vector<int64_t> values = {1, 2, 3};
  const TensorView view{DType::kInt64, Shape({3}),
                        reinterpret_cast<const std::byte*>(values.data())};
  const NamedInput input{"n", view};
  const auto request = engine->submit({&input, 1});
  (void)request->wait();
  ASSERT_EQ(request->outcome(), Outcome::kSuccess);
  EXPECT_TRUE(std::ranges::equal(request->outputs()[0].as<int64_t>(), values));
  EXPECT_EQ(engine->inputs()[0].name, "n");
  EXPECT_THROW((void)engine->submit(Rows(1).inputs()), DTypeError);
}

TEST_F(DelayModelTest, AnObjectIsAnsweredWithItself) {
  const auto engine = make(std::make_shared<DelayModel>(0));
  const auto object = std::make_shared<int>(7);
  const auto request = engine->submit_object(object);
  (void)request->wait();
  EXPECT_EQ(request->result_object(), object);
}

TEST_F(DelayModelTest, SeveralThreadsMayRunOneAtOnce) {
  DelayModel model(0.001, 0, kFour);
  std::vector<std::unique_ptr<FormedBatch>> batches;
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) batches.push_back(batch_of(Rows(id, 3)));
  for (const auto& batch : batches) threads.emplace_back([&] { model.run(*batch); });
  for (std::thread& thread : threads) thread.join();
  for (int id = 0; id < 4; ++id) {
    const auto& output = batches[static_cast<size_t>(id)]->output()->outputs[0];
    EXPECT_EQ(std::memcmp(output.data.get(), Rows(id, 3).view().data, 3 * output.row_bytes), 0);
  }
}

TEST_F(DelayModelTest, ASpecOfOneRowLimitsTheBatch) {
  EXPECT_EQ(DelayModel(0, 0, kFour).max_rows(), 0);
  const DelayModel one(0, 0, {{"x", DType::kFloat32, Shape({1, 4})}});
  EXPECT_EQ(one.max_rows(), 1);
}

TEST_F(DelayModelTest, RefusalsNameGotAndWanted) {
  const std::string want = ", want a finite number of seconds, 0 or more";
  EXPECT_EQ(refusal(-1, 0), "seconds: got -1.000000" + want);
  EXPECT_EQ(refusal(std::nan(""), 0), "seconds: got nan" + want);
  EXPECT_EQ(refusal(0, std::numeric_limits<double>::infinity()), "seconds_per_row: got inf" + want);
  EXPECT_EQ(refusal(0, 0, {{"x", DType::kFloat32, Shape({3, 4})}}),
            "input 'x': got shape (3, 4), want rows first: (-1, ...) or (1, ...)");
  EXPECT_EQ(refusal(0, 0, {{"x", DType::kFloat32, Shape()}}),
            "input 'x': got shape (), want rows first: (-1, ...) or (1, ...)");
}

}  // namespace
}  // namespace inferometer
