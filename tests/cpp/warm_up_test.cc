#include "serving/warm_up.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "engine_fixture.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::shared_ptr<const std::vector<WarmupSample>> samples(const std::vector<int64_t>& widths) {
  auto samples = std::make_shared<std::vector<WarmupSample>>();
  for (const int64_t width : widths) {
    WarmupSample sample;
    sample.emplace_back("", Tensor::copy_of(Rows(1, 2, width).view()));
    samples->push_back(std::move(sample));
  }
  return samples;
}

class WarmUpTest : public EngineFixture {
 protected:
  std::shared_ptr<Executable> counting() {
    return std::make_shared<ScriptedModel>([this](Batch& batch) {
      EXPECT_EQ(batch.rows(), 2);
      ++runs_;
      return true;
    });
  }
  // What making an engine with these samples throws; empty: nothing.
  template <typename Wanted>
  std::string refusal(std::shared_ptr<Executable> model, const std::vector<int64_t>& widths) {
    EngineOptions options = options_of(registry_);
    options.warmup = samples(widths);
    try {
      const Engine engine(std::move(model), options);
    } catch (const Wanted& error) {
      return error.what();
    }
    return "";
  }

  std::atomic<int> runs_{0};
};

TEST_F(WarmUpTest, EverySampleRunsOnEveryInstanceBeforeTheEngineIsThere) {
  EngineOptions options = options_of(registry_);
  options.warmup = samples({4, 4, 4});
  const Engine engine({counting(), counting()}, options);
  EXPECT_EQ(runs_, 6);
  EXPECT_EQ(ended("success"), 0);  // not recorded
  EXPECT_EQ(all_batches(), 0);
}

TEST_F(WarmUpTest, TheFirstSampleFixesTheInputs) {
  EngineOptions options = options_of(registry_);
  options.warmup = samples({4});
  Engine engine(counting(), options);
  EXPECT_THROW((void)engine.submit(Rows(1, 2, 5).inputs()), ShapeError);
}

TEST_F(WarmUpTest, ASampleThatDoesNotFitIsNamed) {
  EXPECT_EQ(refusal<ShapeError>(counting(), {4, 5}),
            "warm-up sample 1: input 'input': got shape (2, 5), want (-1, 4)");
}

TEST_F(WarmUpTest, ASampleThatFailsIsNamedAndLeavesNothingBehind) {
  const auto broken = std::make_shared<ScriptedModel>(
      [](Batch&) -> bool { throw std::runtime_error("no weights"); });
  EXPECT_EQ(refusal<ModelError>(broken, {4}), "warm-up sample 0: failed: no weights");
  EXPECT_EQ(refusal<ModelError>(counting(), {4}), "");  // the name is free
}

TEST_F(WarmUpTest, AModelIsWarmedUpBeforeItIsSwappedIn) {
  EngineOptions options = options_of(registry_);
  options.warmup = samples({4});
  Engine engine(counting(), options);
  engine.swap({counting()});
  EXPECT_EQ(runs_, 2);
  const auto broken = std::make_shared<ScriptedModel>(
      [](Batch&) -> bool { throw std::runtime_error("no weights"); });
  EXPECT_THROW(engine.swap({broken}), ModelError);
  const auto request = engine.submit(Rows(1, 2).inputs());
  (void)request->wait();
  EXPECT_TRUE(Rows(1, 2).doubled_by(*request));
}

}  // namespace
}  // namespace inferometer
