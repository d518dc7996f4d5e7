#include "serving/lone_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "answer_sink.h"
#include "fake_models.h"
#include "inferometer/errors.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

class LoneBatchTest : public testing::Test {
 protected:
  std::shared_ptr<Segment> copy() const {
    auto copy = std::make_shared<Segment>(*pool_, inputs_, rows_.view().shape[0]);
    copy->fill(0, inputs_);
    return copy;
  }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  const Rows rows_{10, 3};
  const std::vector<TensorView> inputs_ = {rows_.view()};
  const std::vector<TensorSpec> specs_ = {{"x", DType::kFloat32, Shape({-1, 4})}};
  AnswerMemory answer_;
  StoppedClock clock_{5};
  LoneBatch batch_{inputs_, specs_, answer_, clock_, nullptr};
};

TEST_F(LoneBatchTest, IsOneRequestOnItsCallersMemory) {
  EXPECT_EQ(batch_.rows(), 3);
  EXPECT_EQ(batch_.requests(), 1U);
  EXPECT_EQ(batch_.inputs()[0].data, inputs_[0].data);
  EXPECT_EQ(batch_.input_owner(), nullptr);
  EXPECT_EQ(batch_.input_specs()[0].name, "x");
  EXPECT_EQ(batch_.object(0), nullptr);
}

TEST_F(LoneBatchTest, AModelThatKeepsItsInputsGetsACopyToKeep) {
  LoneBatch batch(inputs_, specs_, answer_, clock_, copy());
  const std::shared_ptr<const void> owner = batch.input_owner();
  ASSERT_NE(owner, nullptr);
  ASSERT_EQ(batch.inputs().size(), 1U);
  const TensorView kept = batch.inputs()[0];
  EXPECT_NE(kept.data, inputs_[0].data);
  EXPECT_EQ(kept.shape, Shape({3, 4}));
  EXPECT_EQ(kept.as<float>()[4], 11);
}

TEST_F(LoneBatchTest, AnswersGoToTheCallersMemory) {
  const MutableTensorView first = batch_.allocate_output(0, DType::kFloat32, Shape({3, 4}));
  EXPECT_EQ(first.data, answer_.data(0));
  (void)batch_.allocate_output(1, DType::kInt64, Shape({3}));
  ASSERT_EQ(batch_.outputs().size(), 2U);
  EXPECT_EQ(batch_.outputs()[1].dtype, DType::kInt64);
  EXPECT_EQ(batch_.outputs()[1].shape, Shape({3}));
}

TEST_F(LoneBatchTest, OutputsComeInOrderAndHaveRows) {
  EXPECT_THROW(batch_.allocate_output(1, DType::kFloat32, Shape({3})), ModelError);
  EXPECT_THROW(batch_.allocate_output(0, DType::kFloat32, Shape()), ModelError);
  EXPECT_TRUE(batch_.outputs().empty());
  EXPECT_EQ(answer_.size(), 0U);  // the caller was not bothered
}

TEST_F(LoneBatchTest, AnOutputThatTheCallerCouldNotTakeIsNone) {
  answer_.refuse = std::make_exception_ptr(std::runtime_error("no room"));
  EXPECT_THROW(batch_.allocate_output(0, DType::kFloat32, Shape({3})), std::runtime_error);
  EXPECT_TRUE(batch_.outputs().empty());
}

TEST_F(LoneBatchTest, TensorsAreNotAnsweredWithObjects) {
  EXPECT_THROW(batch_.set_result_object(0, std::make_shared<int>(1)), ModelError);
}

TEST_F(LoneBatchTest, ItsOneRequestFailsAsAWhole) {
  EXPECT_THROW(batch_.fail(0, std::make_exception_ptr(std::runtime_error("torn"))),
               std::runtime_error);
}

TEST_F(LoneBatchTest, KnowsWhenTheModelHadComputed) {
  EXPECT_EQ(batch_.computed_at(), std::nullopt);
  clock_.advance(2);
  batch_.computed();
  clock_.advance(2);
  EXPECT_EQ(batch_.computed_at(), 7);
}

}  // namespace
}  // namespace inferometer
