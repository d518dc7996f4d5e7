#include "serving/waiting_group.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "fake_models.h"
#include "queued_request.h"
#include "serving/loaded_model.h"
#include "some_view.h"

namespace inferometer {
namespace {

using Inputs = std::vector<TensorView>;

const std::shared_ptr<LoadedModel> kNoModel;

GroupKey key_of(const Inputs& inputs, std::optional<int64_t> padded_axis = {}, int64_t tag = 0) {
  return {kNoModel, tag, inputs, padded_axis};
}

// What matches() says of a request must be what == says of the keys of two groups.
void expect_same_group(bool same, const Inputs& a, const Inputs& b,
                       std::optional<int64_t> padded_axis = {}) {
  EXPECT_EQ(key_of(a, padded_axis).matches(nullptr, 0, b), same);
  EXPECT_EQ(key_of(b, padded_axis).matches(nullptr, 0, a), same);
  EXPECT_EQ(key_of(a, padded_axis) == key_of(b, padded_axis), same);
  if (same) {
    const GroupKey::Hash hash;
    EXPECT_EQ(hash(key_of(a, padded_axis)), hash(key_of(b, padded_axis)));
  }
}

TEST(GroupKeyTest, RowsMayDifferInNumberAlone) {
  expect_same_group(true, {some_view({1, 4})}, {some_view({9, 4})});
  expect_same_group(true, {}, {});
  expect_same_group(false, {some_view({1, 4})}, {some_view({1, 5})});
  expect_same_group(false, {some_view({1, 4})}, {some_view({1, 4, 1})});
  expect_same_group(false, {some_view({1, 4})}, {some_view({1, 4}, DType::kInt64)});
  expect_same_group(false, {some_view({1, 4})}, {some_view({1, 4}), some_view({1, 4})});
  expect_same_group(false, {some_view({1, 4}), some_view({1, 5})},
                    {some_view({1, 5}), some_view({1, 4})});
}

TEST(GroupKeyTest, APaddedAxisIsFreeInEveryInputThatHasIt) {
  expect_same_group(true, {some_view({1, 4})}, {some_view({1, 9})}, 1);
  expect_same_group(true, {some_view({1, 4}), some_view({1, 4}, DType::kInt64)},
                    {some_view({1, 9}), some_view({1, 2}, DType::kInt64)}, 1);
  expect_same_group(false, {some_view({1, 4, 2})}, {some_view({1, 9, 3})}, 1);
  expect_same_group(true, {some_view({1, 4, 2})}, {some_view({1, 4, 3})}, 2);
  expect_same_group(false, {some_view({1, 4, 2})}, {some_view({1, 5, 2})}, 2);
  expect_same_group(false, {some_view({1, 4})}, {some_view({1, 5})}, 2);  // too short to have it
  expect_same_group(true, {some_view({1})}, {some_view({3})}, 1);
}

TEST(GroupKeyTest, ModelsTagsAndWaysOfPaddingAreToldApart) {
  const Inputs inputs = {some_view({1, 4})};
  const auto model = std::make_shared<LoadedModel>(
      std::vector<std::shared_ptr<Executable>>{std::make_shared<EchoModel>()});
  const GroupKey key(model, 7, inputs, std::nullopt);
  EXPECT_TRUE(key.matches(model.get(), 7, inputs));
  EXPECT_FALSE(key.matches(nullptr, 7, inputs));
  EXPECT_FALSE(key.matches(model.get(), 8, inputs));
  EXPECT_NE(key, GroupKey(nullptr, 7, inputs, std::nullopt));
  EXPECT_NE(key, GroupKey(model, 8, inputs, std::nullopt));
  EXPECT_NE(key, GroupKey(model, 7, inputs, 1));
  const GroupKey::Hash hash;
  EXPECT_NE(hash(key), hash(GroupKey(nullptr, 7, inputs, std::nullopt)));
  EXPECT_NE(hash(key), hash(GroupKey(model, 8, inputs, std::nullopt)));
}

class WaitingGroupTest : public testing::Test {
 protected:
  WaitingGroup& group(const Inputs& like, std::optional<int64_t> padded_axis = {},
                      int64_t segment_rows = 8) {
    return *groups_.emplace_back(
        std::make_unique<WaitingGroup>(key_of(like, padded_axis), *pool_, segment_rows));
  }
  Request& place(WaitingGroup& group, const TensorView& rows) {
    Request& request = *requests_.emplace_back(make_request(rows.shape[0]));
    group.place(request, {&rows, 1});
    group.append(request);
    return request;
  }
  static const Segment* segment(Request& request) { return segment_of(request).get(); }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  std::vector<std::unique_ptr<WaitingGroup>> groups_;
  std::vector<std::shared_ptr<Request>> requests_;
};

TEST_F(WaitingGroupTest, RowsLieSideBySideUntilTheSegmentIsFull) {
  WaitingGroup& four = group({some_view({1, 4})});
  Request& a = place(four, some_view({5, 4}));
  Request& b = place(four, some_view({3, 4}));
  Request& c = place(four, some_view({1, 4}));
  EXPECT_EQ(segment(a), segment(b));
  EXPECT_EQ(row_begin_of(b), 5);
  EXPECT_NE(segment(b), segment(c));
  EXPECT_EQ(row_begin_of(c), 0);
}

TEST_F(WaitingGroupTest, ARequestThatDoesNotFitBeginsASegment) {
  WaitingGroup& four = group({some_view({1, 4})});
  Request& a = place(four, some_view({5, 4}));
  Request& b = place(four, some_view({4, 4}));
  EXPECT_NE(segment(a), segment(b));
  EXPECT_EQ(segment_of(b)->used, 4);
}

TEST_F(WaitingGroupTest, NothingLeftBeginsAFreshSegment) {
  WaitingGroup& four = group({some_view({1, 4})});
  Request& a = place(four, some_view({1, 4}));
  Request& b = place(four, some_view({1, 4}));
  four.remove(a);
  Request& c = place(four, some_view({1, 4}));
  EXPECT_EQ(segment(b), segment(c));  // b still waits
  four.remove(b);
  four.remove(c);
  EXPECT_NE(segment(c), segment(place(four, some_view({1, 4}))));
}

TEST_F(WaitingGroupTest, LengthsThatDifferHaveASegmentEach) {
  WaitingGroup& any = group({some_view({1, 4})}, 1);
  Request& a = place(any, some_view({2, 4}));
  Request& b = place(any, some_view({1, 6}));
  EXPECT_NE(segment(a), segment(b));
  EXPECT_EQ(segment_of(a)->capacity, 2);  // no room is kept for more of a length
  EXPECT_EQ(segment_of(b)->inputs[0].row_shape, Shape({6}));
  EXPECT_EQ(any.requests(), 2);
}

TEST_F(WaitingGroupTest, KnowsItsOrder) {
  WaitingGroup& four = group({some_view({1, 4})});
  EXPECT_EQ(four.first(), nullptr);
  Request& a = place(four, some_view({1, 4}));
  Request& b = place(four, some_view({1, 4}));
  EXPECT_EQ(four.first(), &a);
  EXPECT_EQ(four.after(a), &b);
  EXPECT_EQ(four.after(b), nullptr);
  four.put_behind(a);
  EXPECT_EQ(four.first(), &b);
  EXPECT_EQ(four.after(b), &a);
  EXPECT_EQ(four.after(a), nullptr);
}

TEST_F(WaitingGroupTest, AnEmptyGroupHasNoCandidate) {
  EXPECT_EQ(group({}).candidate({}).requests, 0);
}

}  // namespace
}  // namespace inferometer
