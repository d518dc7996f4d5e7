#include "serving/loaded_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "error_text.h"
#include "fake_models.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

using Specs = std::vector<TensorSpec>;
using Instances = std::vector<std::shared_ptr<Executable>>;

const TensorSpec kX{"x", DType::kFloat32, Shape({-1, 4})};
const TensorSpec kY{"y", DType::kFloat32, Shape({-1, 2})};

/// Knows its inputs and outputs, and what it was told. Thread-safe.
class SpecModel final : public EchoModel {
 public:
  explicit SpecModel(Specs inputs, Specs outputs = {})
      : EchoModel(std::move(inputs)), outputs_(std::move(outputs)) {}
  [[nodiscard]] const Specs& outputs() const noexcept override { return outputs_; }
  [[nodiscard]] int64_t weights_bytes() const noexcept override { return 100; }
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept override { return 7 * rows; }
  void interrupt() noexcept override { ++interrupts; }

  std::atomic<int> interrupts{0};

 private:
  const Specs outputs_;
};

std::string refusal(const Instances& instances) {
  return error_of([&] { const LoadedModel model(instances); });
}
std::string difference(const Specs& got, const Specs& want) {
  return error_of([&] { check_same_specs("input", got, want); });
}

TEST(LoadedModelTest, WantsInstancesThatAgree) {
  const auto model = std::make_shared<SpecModel>(Specs{kX}, Specs{kY});
  EXPECT_EQ(refusal({model, model}), "");
  EXPECT_EQ(refusal({}), "instances: got none, want one or more");
  EXPECT_EQ(refusal({model, nullptr}), "model: got null, want a model");
  EXPECT_EQ(refusal({model, std::make_shared<SpecModel>(Specs{kY}, Specs{kY})}),
            "got a model with input 'y' float32 (-1, 2), want 'x' float32 (-1, 4) as before");
  EXPECT_EQ(refusal({model, std::make_shared<SpecModel>(Specs{kX}, Specs{kX})}),
            "got a model with output 'x' float32 (-1, 4), want 'y' float32 (-1, 2) as before");
  EXPECT_EQ(refusal({model, std::make_shared<SpecModel>(Specs{kX, kX}, Specs{kY})}),
            "got a model with 2 inputs, want 1 as before");
}

TEST(LoadedModelTest, SpecsDifferInNameTypeOrShape) {
  EXPECT_EQ(difference({kX, kY}, {kX, kY}), "");
  EXPECT_EQ(difference({}, {kX}), "");
  EXPECT_EQ(difference({kX}, {}), "");
  TensorSpec other = kX;
  other.name = "z";
  EXPECT_NE(difference({other}, {kX}), "");
  other = kX;
  other.dtype = DType::kInt64;
  EXPECT_EQ(difference({kY, other}, {kY, kX}),
            "got a model with input 'x' int64 (-1, 4), want 'x' float32 (-1, 4) as before");
  other = kX;
  other.shape = Shape({-1, 5});
  EXPECT_NE(difference({other}, {kX}), "");
}

TEST(LoadedModelTest, InstancesShareTheirWeightsButNotTheirWorkingMemory) {
  const auto model = std::make_shared<SpecModel>(Specs{kX});
  const LoadedModel loaded({model, model, model});
  EXPECT_EQ(loaded.instances(), 3U);
  EXPECT_EQ(&loaded.executable(2), model.get());
  EXPECT_EQ(loaded.weights_bytes(), 100);
  EXPECT_EQ(loaded.activation_bytes(10), 210);
}

TEST(LoadedModelTest, EveryInstanceHearsOfTheEnd) {
  const auto one = std::make_shared<SpecModel>(Specs{kX});
  const auto other = std::make_shared<SpecModel>(Specs{kX});
  LoadedModel({one, other}).interrupt();
  EXPECT_EQ(one->interrupts, 1);
  EXPECT_EQ(other->interrupts, 1);
}

TEST(LoadedModelTest, OutputsThatAreKnownStayAsTheyAre) {
  LoadedModel loaded({std::make_shared<SpecModel>(Specs{kX}, Specs{kY})});
  ASSERT_EQ(loaded.outputs().size(), 1U);
  loaded.learn_outputs({kX});
  EXPECT_EQ(loaded.outputs()[0].name, "y");
}

TEST(LoadedModelTest, WhatIsDeclaredIsHandedOnAndWhatWasAnsweredIsNot) {
  LoadedModel silent({std::make_shared<EchoModel>()});
  LoadedModel answered({std::make_shared<EchoModel>()});
  answered.learn_outputs({{"0", DType::kFloat32, Shape({-1, 2})}});
  silent.take_the_place_of(answered);
  EXPECT_TRUE(silent.outputs().empty());
  LoadedModel declared({std::make_shared<SpecModel>(Specs{kX}, Specs{kY})});
  declared.take_the_place_of(answered);
  EXPECT_EQ(declared.outputs()[0].name, "y");
  answered.take_the_place_of(declared);
  silent.take_the_place_of(answered);
  EXPECT_EQ(silent.outputs()[0].name, "y");
  LoadedModel other({std::make_shared<SpecModel>(Specs{kX}, Specs{kX})});
  EXPECT_EQ(error_of([&] { other.take_the_place_of(silent); }),
            "got a model with output 'x' float32 (-1, 4), want 'y' float32 (-1, 2) as before");
}

TEST(LoadedModelTest, TheFirstOfManyAnswersFixesTheOutputs) {
  LoadedModel loaded({std::make_shared<EchoModel>()});
  EXPECT_TRUE(loaded.outputs().empty());
  std::vector<std::thread> learners;
  std::atomic<int> seen_others{0};
  for (const TensorSpec& spec : {kX, kY}) {
    learners.emplace_back([&loaded, &seen_others, spec] {
      loaded.learn_outputs({spec});
      const std::string first = loaded.outputs()[0].name;
      loaded.learn_outputs({kX});
      if (loaded.outputs()[0].name != first) ++seen_others;
    });
  }
  for (std::thread& learner : learners) learner.join();
  EXPECT_EQ(seen_others, 0);
}

}  // namespace
}  // namespace inferometer
