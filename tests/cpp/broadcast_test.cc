#include "model/broadcast.h"

#include <gtest/gtest.h>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

using Dims = std::vector<int64_t>;

TEST(BroadcastTest, EqualShapesAreOneLoop) {
  const Broadcast loops = merged(broadcast(Shape({2, 3, 4}), Shape({2, 3, 4})));
  EXPECT_EQ(loops.dims, (Dims{24}));
  EXPECT_EQ(loops.a_strides, (Dims{1}));
  EXPECT_EQ(loops.b_strides, (Dims{1}));
}

TEST(BroadcastTest, AChannelConstantIsTwoLoops) {
  const Broadcast loops = merged(broadcast(Shape({3, 4, 5}), Shape({3, 1, 1})));
  EXPECT_EQ(loops.dims, (Dims{3, 20}));
  EXPECT_EQ(loops.a_strides, (Dims{20, 1}));
  EXPECT_EQ(loops.b_strides, (Dims{1, 0}));
}

TEST(BroadcastTest, BothSidesMayBeRepeated) {
  const Broadcast full = broadcast(Shape({4, 1}), Shape({2, 1, 3}));
  EXPECT_EQ(full.dims, (Dims{2, 4, 3}));
  EXPECT_EQ(full.a_strides, (Dims{0, 1, 0}));
  EXPECT_EQ(full.b_strides, (Dims{3, 0, 1}));
}

TEST(BroadcastTest, AScalarNeedsNoLoop) {
  EXPECT_TRUE(merged(broadcast(Shape(), Shape({1, 1}))).dims.empty());
}

TEST(BroadcastTest, ShapesThatDoNotFitAreAnError) {
  EXPECT_THROW((void)broadcast(Shape({3}), Shape({4})), ConfigError);
}

TEST(BroadcastTest, RowsMustNotMeetAnotherDimension) {
  Graph graph;
  const ValueId x = graph.add({.name = "x", .kind = ValueKind::kInput, .shape = Shape({4})});
  EXPECT_EQ(row_shape_of_operand(graph, x, 2), Shape({4}));
  EXPECT_THROW((void)row_shape_of_operand(graph, x, 3), UnsupportedOperatorError);
  graph.single_row = true;  // one row is the same in any place
  EXPECT_EQ(row_shape_of_operand(graph, x, 3), Shape({4}));
}

TEST(BroadcastTest, AConstantMustNotFixTheRows) {
  Graph graph;
  const ValueId one = graph.add_constant("one", Tensor(DType::kFloat32, Shape({1, 4})));
  const ValueId two = graph.add_constant("two", Tensor(DType::kFloat32, Shape({2, 4})));
  EXPECT_EQ(row_shape_of_operand(graph, one, 2), Shape({4}));
  EXPECT_EQ(row_shape_of_operand(graph, one, 3), Shape({1, 4}));
  EXPECT_EQ(row_shape_of_operand(graph, two, 3), Shape({2, 4}));
  EXPECT_THROW((void)row_shape_of_operand(graph, two, 2), UnsupportedOperatorError);
}

}  // namespace
}  // namespace inferometer
