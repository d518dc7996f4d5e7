#include "serving/segment.h"

#include <gtest/gtest.h>

#include <new>
#include <vector>

#include "some_view.h"

namespace inferometer {
namespace {

class SegmentTest : public testing::Test {
 protected:
  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
};

TEST_F(SegmentTest, RowsLieSideBySideInEachInput) {
  const std::vector<TensorView> like = {some_view(Shape({2, 3})),
                                        some_view(Shape({2}), DType::kInt64)};
  const Segment segment(*pool_, like, 8);
  EXPECT_EQ(segment.capacity, 8);
  EXPECT_EQ(segment.row(0, 5) - segment.row(0, 0), 5 * 3 * 4);
  EXPECT_EQ(segment.row(1, 5) - segment.row(1, 0), 5 * 8);
  const auto rows = segment.rows(2, 4);
  EXPECT_EQ(rows[0].shape, Shape({4, 3}));
  EXPECT_EQ(rows[1].shape, Shape({4}));
  EXPECT_EQ(rows[0].data, segment.row(0, 2));
  EXPECT_EQ(rows[1].dtype, DType::kInt64);
}

TEST_F(SegmentTest, MatchesAnyNumberOfRowsOfItsSignature) {
  const std::vector<TensorView> like = {some_view(Shape({2, 3}))};
  const Segment segment(*pool_, like, 8);
  const auto matches = [&](const std::vector<TensorView>& request) {
    return segment.matches(request) && segment.matches(Segment(*pool_, request, 1));
  };
  EXPECT_TRUE(matches({some_view(Shape({7, 3}))}));
  for (const std::vector<TensorView>& other :
       std::vector<std::vector<TensorView>>{{some_view(Shape({2, 4}))},
                                            {some_view(Shape({2, 3, 1}))},
                                            {some_view(Shape({2}))},
                                            {some_view(Shape({2, 3}), DType::kInt32)},
                                            {some_view(Shape({2, 3})), some_view(Shape({2, 3}))},
                                            {}}) {
    EXPECT_FALSE(segment.matches(other));
    EXPECT_FALSE(segment.matches(Segment(*pool_, other, 1)));
  }
}

TEST_F(SegmentTest, HoldsNothingForOpaqueRequests) {
  const Segment segment(*pool_, {}, 8);
  EXPECT_TRUE(segment.rows(3, 2).empty());
  EXPECT_TRUE(segment.matches(std::vector<TensorView>{}));
  EXPECT_EQ(pool_->allocated_bytes(), 0U);
}

TEST_F(SegmentTest, RowsOfNoElementsAreAllowed) {
  const std::vector<TensorView> like = {some_view(Shape({2, 0}))};
  const Segment segment(*pool_, like, 8);
  EXPECT_EQ(segment.rows(1, 2)[0].bytes(), 0U);
}

TEST_F(SegmentTest, RefusesMoreThanThereIsMemory) {
  const std::vector<TensorView> like = {some_view(Shape({1, int64_t{1} << 58}))};
  EXPECT_THROW(Segment(*pool_, like, 1), std::bad_alloc);
}

TEST_F(SegmentTest, EachRequestSeesItsRowsOfEachOutput) {
  BatchOutput output;
  output.outputs.push_back({DType::kFloat32, Shape({4, 2}), 8, pool_->acquire(32)});
  output.outputs.push_back({DType::kInt64, Shape({4}), 8, pool_->acquire(32)});
  const auto rows = output.rows(1, 2);
  EXPECT_EQ(rows[0].shape, Shape({2, 2}));
  EXPECT_EQ(rows[0].data, output.outputs[0].data.get() + 8);
  EXPECT_EQ(rows[1].shape, Shape({2}));
  EXPECT_EQ(rows[1].data, output.outputs[1].data.get() + 8);
}

}  // namespace
}  // namespace inferometer
