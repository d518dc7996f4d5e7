#include "serving/input_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "inferometer/errors.h"
#include "some_view.h"

namespace inferometer {
namespace {

const std::vector<TensorSpec> kTwo = {{"a", DType::kFloat32, Shape({-1, 4})},
                                      {"b", DType::kInt64, Shape({-1})}};

// The error's text, prefixed with its kind; empty for none.
std::string inputs_error(const std::vector<TensorSpec>& specs,
                         const std::vector<NamedInput>& inputs) {
  try {
    (void)InputCheck(specs).in_order(inputs, 8);
  } catch (const InputError& error) {
    return std::string("input: ") + error.what();
  } catch (const ShapeError& error) {
    return std::string("shape: ") + error.what();
  } catch (const DTypeError& error) {
    return std::string("dtype: ") + error.what();
  }
  return "";
}

TEST(InputCheckTest, PutsInputsIntoOrder) {
  const InputCheck check(kTwo);
  const auto ordered =
      check.in_order(std::vector<NamedInput>{{"b", some_view(Shape({3}), DType::kInt64)},
                                             {"a", some_view(Shape({3, 4}))}},
                     8);
  EXPECT_EQ(ordered[0].shape, Shape({3, 4}));
  EXPECT_EQ(ordered[1].shape, Shape({3}));
}

TEST(InputCheckTest, AnUnnamedArrayIsTheOnlyInput) {
  EXPECT_EQ(
      inputs_error({{"a", DType::kFloat32, Shape({-1, 4})}}, {{"", some_view(Shape({1, 4}))}}), "");
  EXPECT_EQ(inputs_error(kTwo, {{"", some_view(Shape({1, 4}))}}),
            "input: got one array without a name, want 2 named inputs: 'a', 'b'");
}

TEST(InputCheckTest, NamesUnknownMissingAndRepeatedInputs) {
  EXPECT_EQ(inputs_error(kTwo, {{"c", some_view(Shape({1, 4}))}}),
            "input: got unknown input 'c', want 'a', 'b'");
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({1, 4}))}}),
            "input: missing input 'b', want 'a', 'b'");
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({1, 4}))}, {"a", some_view(Shape({1, 4}))}}),
            "input: got input 'a' twice");
}

TEST(InputCheckTest, NeverCasts) {
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({1, 4}), DType::kFloat64)}}),
            "dtype: input 'a': got float64, want float32");
}

TEST(InputCheckTest, SaysGotAndWantedShapes) {
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({1, 5}))}}),
            "shape: input 'a': got shape (1, 5), want (-1, 4)");
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({4}))}}),
            "shape: input 'a': got shape (4,), want (-1, 4)");
}

TEST(InputCheckTest, BoundsAndComparesRows) {
  const std::vector<TensorSpec> one = {{"a", DType::kFloat32, Shape({-1, 4})}};
  EXPECT_EQ(inputs_error(one, {{"a", some_view(Shape({0, 4}))}}),
            "shape: input 'a': got 0 rows, want 1 to 8 (max_batch_size)");
  EXPECT_EQ(inputs_error(one, {{"a", some_view(Shape({9, 4}))}}),
            "shape: input 'a': got 9 rows, want 1 to 8 (max_batch_size)");
  EXPECT_EQ(inputs_error(kTwo, {{"a", some_view(Shape({2, 4}))},
                                {"b", some_view(Shape({3}), DType::kInt64)}}),
            "shape: input 'b': got 3 rows, want 2 as in input 'a'");
}

TEST(InputCheckTest, AFirstRequestImpliesSpecs) {
  const auto specs = InputCheck::implied_by(
      std::vector<NamedInput>{{"", some_view(Shape({3, 4, 5}), DType::kUint8)}});
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].dtype, DType::kUint8);
  EXPECT_EQ(specs[0].shape, Shape({-1, 4, 5}));
  EXPECT_EQ(inputs_error(specs, {{"input", some_view(Shape({1, 4, 5}), DType::kUint8)}}), "");
  EXPECT_THROW((void)InputCheck::implied_by(std::vector<NamedInput>{{"", some_view(Shape())}}),
               ShapeError);
}

TEST(InputCheckTest, RefusesUnusableSpecs) {
  EXPECT_THROW(InputCheck({{"a", DType::kInt8, Shape({-1})}, {"a", DType::kInt8, Shape({-1})}}),
               ConfigError);
  EXPECT_THROW(InputCheck({{"a", DType::kInt8, Shape()}}), ConfigError);
  EXPECT_THROW(InputCheck({{"a", DType::kInt8, Shape({-1})}, {"", DType::kInt8, Shape({-1})}}),
               ConfigError);
}

}  // namespace
}  // namespace inferometer
