#include "inferometer/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

TEST(TensorTest, IsAlignedAndSized) {
  const Tensor tensor(DType::kFloat32, Shape({3, 5}));
  EXPECT_EQ(tensor.bytes(), 60U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.view().data) % Tensor::kAlignment, 0U);
}

TEST(TensorTest, CopiesAreIndependent) {
  Tensor tensor(DType::kInt32, Shape({4}));
  std::ranges::fill(tensor.as<int32_t>(), 7);
  const Tensor copy = tensor.clone();
  std::ranges::fill(tensor.as<int32_t>(), 9);
  EXPECT_EQ(copy.as<int32_t>()[3], 7);
}

TEST(TensorTest, EmptyTensorsAreLegal) {
  const Tensor tensor(DType::kFloat64, Shape({0, 5}));
  EXPECT_EQ(tensor.bytes(), 0U);
  EXPECT_EQ(tensor.clone().shape(), Shape({0, 5}));
}

TEST(TensorTest, RefusesWhatCannotBeAddressed) {
  EXPECT_THROW(Tensor(DType::kFloat64, Shape({std::numeric_limits<int64_t>::max() / 2, 1})),
               ShapeError);
  EXPECT_THROW(Tensor(DType::kFloat32, Shape({-1, 4})), ShapeError);
}

}  // namespace
}  // namespace inferometer
