#include "serving/output_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::string of_all(const std::vector<OutputShape>& outputs, const std::vector<TensorSpec>& specs) {
  return error_of<ModelError>([&] { check_all_outputs(outputs, 2, specs); });
}

const OutputShape kFloats{DType::kFloat32, Shape({2, 4})};
const OutputShape kInts{DType::kInt64, Shape({2})};
const std::vector<TensorSpec> kSpecs = {{"y", DType::kFloat32, Shape({-1, 4})},
                                        {"n", DType::kInt64, Shape({-1})}};

TEST(OutputCheckTest, OutputsComeInOrder) {
  const Shape rows({2, 4});
  EXPECT_EQ(error_of<ModelError>([&] { check_next_output(0, 0, rows, 2); }), "");
  EXPECT_EQ(error_of<ModelError>([&] { check_next_output(2, 1, rows, 2); }),
            "the model filled output 2, want output 1 next");
  EXPECT_EQ(error_of<ModelError>([&] { check_next_output(0, 1, rows, 2); }),
            "the model filled output 0, want output 1 next");
}

TEST(OutputCheckTest, OutputsHaveRows) {
  EXPECT_EQ(error_of<ModelError>([] { check_next_output(1, 1, Shape(), 2); }),
            "output 1 is a scalar, want rows first: (2, ...)");
}

TEST(OutputCheckTest, AnythingGoesAsLongAsNothingIsKnown) {
  EXPECT_EQ(of_all({kFloats}, {}), "");
  EXPECT_EQ(of_all({kInts, kFloats}, {}), "");
  EXPECT_EQ(of_all({kFloats, kInts}, kSpecs), "");
}

TEST(OutputCheckTest, SaysWhatIsWrongWithTheNumber) {
  EXPECT_EQ(of_all({}, {}), "the model returned no output, want one or more");
  EXPECT_EQ(of_all({}, kSpecs), "the model returned no output, want one or more");
  EXPECT_EQ(of_all({kFloats}, kSpecs), "the model returned 1 outputs, want 2");
}

TEST(OutputCheckTest, SaysWhichOutputHasWrongRows) {
  const OutputShape three{DType::kInt64, Shape({3})};
  EXPECT_EQ(of_all({kFloats, three}, {}),
            "the model returned 3 rows for output 1, want 2, one for each input row");
  EXPECT_EQ(of_all({kFloats, three}, kSpecs),
            "the model returned 3 rows for output n, want 2, one for each input row");
}

TEST(OutputCheckTest, SaysWhichOutputHasTheWrongType) {
  EXPECT_EQ(of_all({kFloats, kFloats}, kSpecs),
            "the model returned float32 for output n, want int64");
}

TEST(OutputCheckTest, AnAnswerImpliesSpecsForAnyNumberOfRows) {
  const std::vector<OutputShape> outputs = {kFloats, kInts};
  const std::vector<TensorSpec> specs = specs_implied_by(outputs);
  ASSERT_EQ(specs.size(), 2U);
  EXPECT_EQ(specs[0].name, "0");
  EXPECT_EQ(specs[0].dtype, DType::kFloat32);
  EXPECT_EQ(specs[0].shape, Shape({-1, 4}));
  EXPECT_EQ(specs[1].name, "1");
  EXPECT_EQ(specs[1].shape, Shape({-1}));
  EXPECT_EQ(of_all(outputs, specs), "");
}

}  // namespace
}  // namespace inferometer
