#include "inferometer/shape.h"

#include <gtest/gtest.h>

#include <limits>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

TEST(ShapeTest, PrintsAsPythonDoes) {
  EXPECT_EQ(Shape().to_string(), "()");
  EXPECT_EQ(Shape({4}).to_string(), "(4,)");
  EXPECT_EQ(Shape({-1, 64}).to_string(), "(-1, 64)");
}

TEST(ShapeTest, CountsElements) {
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(Shape({2, 3, 0}).elements(), 0);
  EXPECT_EQ(Shape({2, 3, 4}).elements(), 24);
}

TEST(ShapeTest, RefusesToCountFreeOrTooManyElements) {
  EXPECT_THROW((void)Shape({-1, 2}).elements(), ShapeError);
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_THROW((void)Shape({kHuge, 2}).elements(), ShapeError);
}

TEST(ShapeTest, RefusesNegativeDimensionsAndTooManyOfThem) {
  EXPECT_THROW(Shape({2, -2}), ShapeError);
  EXPECT_THROW(Shape({1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  EXPECT_THROW((void)Shape({1, 1, 1, 1, 1, 1, 1, 1}).prepend(1), ShapeError);
}

TEST(ShapeTest, AcceptsEqualOrFreeDimensions) {
  const Shape spec({-1, 64});
  EXPECT_TRUE(spec.accepts(Shape({3, 64})));
  EXPECT_FALSE(spec.accepts(Shape({3, 63})));
  EXPECT_FALSE(spec.accepts(Shape({3})));
}

TEST(ShapeTest, TailAndPrependAreInverse) {
  const Shape shape({5, 6, 7});
  EXPECT_EQ(shape.tail(1), Shape({6, 7}));
  EXPECT_EQ(shape.tail(1).prepend(5), shape);
}

}  // namespace
}  // namespace inferometer
