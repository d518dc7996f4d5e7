#include "inferometer/dtype.h"

#include <gtest/gtest.h>

namespace inferometer {
namespace {

TEST(DTypeTest, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(DType::kFloat64); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  }
}

TEST(DTypeTest, KnowsSizes) {
  EXPECT_EQ(dtype_size(DType::kBool), 1U);
  EXPECT_EQ(dtype_size(DType::kFloat16), 2U);
  EXPECT_EQ(dtype_size(DType::kFloat64), 8U);
}

TEST(DTypeTest, UnknownNamesAreNothing) {
  EXPECT_FALSE(parse_dtype("complex64").has_value());
  EXPECT_FALSE(parse_dtype("").has_value());
}

}  // namespace
}  // namespace inferometer
