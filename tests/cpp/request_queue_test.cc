#include "serving/request_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "fake_models.h"
#include "queued_request.h"
#include "serving/loaded_model.h"

namespace inferometer {
namespace {

using Requests = std::vector<std::shared_ptr<Request>>;

class RequestQueueTest : public testing::Test {
 protected:
  std::shared_ptr<Request> append(int64_t rows, int64_t width = 4, int64_t arrival_ns = 0,
                                  int64_t level = 1) {
    return append_rows(queue_, Rows(0, rows, width).view(), arrival_ns, level);
  }
  WaitingGroup& first_group() { return *queue_.groups().begin()->second; }
  Requests take(int64_t count) { return queue_.take(first_group(), count); }
  BatchCandidate candidate(int64_t max_rows, std::vector<int64_t> preferred = {}) {
    Batching batching;
    batching.max_batch_size = max_rows;
    batching.preferred_batch_sizes = std::move(preferred);
    return first_group().candidate(batching);
  }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  RequestQueue queue_{pool_};
};

TEST_F(RequestQueueTest, IsFirstInFirstOut) {
  const auto a = append(1);
  const auto b = append(2);
  const auto c = append(1);
  EXPECT_EQ(queue_.size(), 3);
  EXPECT_EQ(take(2), (Requests{a, b}));
  EXPECT_EQ(queue_.take_all(), (Requests{c}));
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(queue_.groups().empty());
}

TEST_F(RequestQueueTest, LetsGoOfTheFirstTheMiddleAndTheLast) {
  Requests all;
  for (int i = 0; i < 5; ++i) all.push_back(append(1, 4, 100 + i));
  EXPECT_EQ(queue_.remove(*all[2]), all[2]);
  EXPECT_EQ(queue_.remove(*all[2]), nullptr);  // it is not there any more
  queue_.remove(*all[4]);
  queue_.remove(*all[0]);
  EXPECT_EQ(queue_.oldest_arrival_ns(), 101);
  EXPECT_EQ(candidate(8).rows, 2);
  const auto late = append(1);
  EXPECT_EQ(queue_.take_all(), (Requests{all[1], all[3], late}));
  EXPECT_EQ(queue_.oldest_arrival_ns(), kNever);
}

TEST_F(RequestQueueTest, WhatWasNeverQueuedIsNotTouched) {
  append(1);
  EXPECT_EQ(queue_.remove(*make_request()), nullptr);
  EXPECT_EQ(queue_.size(), 1);
}

TEST_F(RequestQueueTest, ACandidateNeverSplitsARequest) {
  append(3, 4, 100);
  append(4, 4, 200);
  append(2);
  EXPECT_EQ(candidate(8).requests, 2);
  EXPECT_EQ(candidate(8).rows, 7);
  EXPECT_EQ(candidate(8).oldest_arrival_ns, 100);
  EXPECT_TRUE(candidate(8).next_does_not_fit);
  EXPECT_EQ(candidate(9).requests, 3);
  EXPECT_FALSE(candidate(9).next_does_not_fit);
  EXPECT_EQ(candidate(2).requests, 1);  // too large for any batch: alone
  EXPECT_EQ(candidate(2).rows, 3);
}

TEST_F(RequestQueueTest, ACandidateKnowsTheLongestPreferredBeginning) {
  for (const int64_t rows : {1, 2, 2, 1}) append(rows);
  EXPECT_EQ(candidate(8, {1, 3}).preferred_requests, 2);
  EXPECT_EQ(candidate(8, {4}).preferred_requests, 0);
  EXPECT_EQ(candidate(8, {4, 5}).preferred_rows, 5);
  EXPECT_EQ(candidate(8, {6}).preferred_requests, 4);
  EXPECT_EQ(candidate(8, {7}).preferred_requests, 0);
  EXPECT_EQ(candidate(5, {5}).preferred_requests, 3);
}

TEST_F(RequestQueueTest, UnmergedACandidateIsTheFirstRequestAlone) {
  append(3, 4, 100, 2);
  append(2, 4, 200, 1);
  append(1, 4, 300, 2);
  Batching batching;
  batching.max_batch_size = 8;
  batching.merge_requests = false;
  const BatchCandidate alone = first_group().candidate(batching);
  EXPECT_EQ(alone.requests, 1);
  EXPECT_EQ(alone.rows, 2);
  EXPECT_FALSE(alone.next_does_not_fit);
}

TEST_F(RequestQueueTest, RequestsOfOneShapeAreGatheredAcrossOthers) {
  const auto a1 = append(1, 4);
  const auto b1 = append(1, 5);
  const auto a2 = append(1, 4);
  EXPECT_EQ(queue_.groups().size(), 2U);
  EXPECT_EQ(take(9), (Requests{a1, a2}));
  EXPECT_EQ(take(9), (Requests{b1}));
}

TEST_F(RequestQueueTest, TheGroupOfTheMostUrgentThenOldestIsFirst) {
  const auto old_one = append(1, 4, 10, 2);
  const auto other = append(1, 5, 20, 2);
  const auto urgent = append(1, 5, 30, 1);
  EXPECT_EQ(take(9), (Requests{urgent, other}));
  EXPECT_EQ(take(9), (Requests{old_one}));
}

TEST_F(RequestQueueTest, AGroupThatLosesItsFirstMovesBack) {
  const auto a1 = append(1, 4);
  const auto b1 = append(1, 5);
  const auto a2 = append(1, 4);
  queue_.remove(*a1);
  EXPECT_EQ(take(9), (Requests{b1}));
  EXPECT_EQ(take(9), (Requests{a2}));
}

TEST_F(RequestQueueTest, LevelsAreServedInOrderWithinAGroup) {
  const auto low = append(1, 4, 1, 3);
  const auto high = append(1, 4, 2, 1);
  const auto middle = append(1, 4, 3, 2);
  EXPECT_EQ(queue_.size_of_level(3), 1);
  EXPECT_EQ(queue_.size_of_level(4), 0);
  EXPECT_EQ(candidate(8).oldest_arrival_ns, 1);
  EXPECT_EQ(take(9), (Requests{high, middle, low}));
  EXPECT_EQ(queue_.size_of_level(3), 0);
}

TEST_F(RequestQueueTest, WhatIsPutBehindIsServedLastInOrderOfArrival) {
  const auto a = append(1, 4, 1);
  const auto b = append(1, 4, 2);
  const auto c = append(1, 4, 3, 2);
  const auto other = append(1, 5, 4);
  queue_.put_behind(*b);
  queue_.put_behind(*a);
  EXPECT_EQ(take(9), (Requests{other}));
  EXPECT_EQ(take(9), (Requests{c, a, b}));
}

TEST_F(RequestQueueTest, ACandidateMaySpanSegmentsOfOneShape) {
  const auto a = append(5);
  const auto b = append(5);
  EXPECT_NE(segment_of(*a), segment_of(*b));
  EXPECT_EQ(candidate(16).requests, 2);
}

TEST_F(RequestQueueTest, RowsOfOneShapeLieSideBySide) {
  const auto a = append(2);
  append(1, 5);
  const auto b = append(3);
  EXPECT_EQ(segment_of(*a), segment_of(*b));
  EXPECT_EQ(row_begin_of(*b), 2);
}

TEST_F(RequestQueueTest, AnEmptyQueueStartsAFreshSegment) {
  const auto a = append(2);
  const auto segment = segment_of(*a);
  (void)queue_.take_all();
  EXPECT_NE(segment_of(*append(2)), segment);
}

TEST_F(RequestQueueTest, OneRequestMayHaveMoreRowsThanASegmentIsMeantFor) {
  EXPECT_EQ(segment_of(*append(20))->capacity, 20);
}

TEST_F(RequestQueueTest, SegmentsOfLongRowsHoldFewOfThem) {
  const std::byte* const nowhere = nullptr;
  const auto elements = static_cast<int64_t>(WaitingGroup::kMaxSegmentBytes / 4 / 2);
  const TensorView view{DType::kFloat32, Shape({1, elements}), nowhere};
  const auto request = make_request();
  queue_.append(request, {&view, 1}, {.model = nullptr, .segment_rows = 8});
  EXPECT_EQ(segment_of(*request)->capacity, 1);  // two would do, less the byte of safety
}

TEST_F(RequestQueueTest, NoMemoryLeavesTheQueueAlone) {
  const auto a = append(1);
  const TensorView view{DType::kFloat32, Shape({1, int64_t{1} << 58}), nullptr};
  EXPECT_THROW(queue_.append(make_request(), {&view, 1}, {.model = nullptr}), std::bad_alloc);
  EXPECT_EQ(queue_.size(), 1);
  const auto b = append(1);
  EXPECT_EQ(segment_of(*a), segment_of(*b));
  EXPECT_EQ(queue_.take_all(), (Requests{a, b}));
}

TEST_F(RequestQueueTest, AModelGoesWithTheLastRequestForIt) {
  auto model = std::make_shared<LoadedModel>(
      std::vector<std::shared_ptr<Executable>>{std::make_shared<EchoModel>()});
  const std::weak_ptr<LoadedModel> held = model;
  const auto request = make_request();
  queue_.append(request, {}, {.model = model});
  const auto unlike = append(1);  // of another model: another group
  EXPECT_EQ(queue_.groups().size(), 2U);
  model.reset();
  queue_.remove(*request);
  EXPECT_TRUE(held.expired());
}

TEST_F(RequestQueueTest, LetsGoOfRequestsWhenItGoes) {
  std::weak_ptr<Request> request;
  {
    RequestQueue queue(pool_);
    request = append_rows(queue, Rows(0).view());
    EXPECT_FALSE(request.expired());
  }
  EXPECT_TRUE(request.expired());
}

}  // namespace
}  // namespace inferometer
