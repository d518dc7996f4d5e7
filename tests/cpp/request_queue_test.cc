#include "serving/request_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <vector>

#include "fake_models.h"
#include "queued_request.h"

namespace inferometer {
namespace {

using End = BatchCandidate::End;

class RequestQueueTest : public testing::Test {
 protected:
  std::shared_ptr<Request> append(int64_t rows, int64_t width = 4, int64_t arrival_ns = 0,
                                  int64_t deadline_ns = kNever) {
    return append_rows(queue_, Rows(0, rows, width).view(), arrival_ns, deadline_ns);
  }

  const std::shared_ptr<BufferPool> pool_ = BufferPool::create(1 << 20);
  RequestQueue queue_{pool_, 8};
};

TEST_F(RequestQueueTest, IsFirstInFirstOut) {
  const auto a = append(1);
  const auto b = append(2);
  const auto c = append(1);
  EXPECT_EQ(queue_.size(), 3);
  EXPECT_EQ(queue_.rows(), 4);
  EXPECT_EQ(queue_.take(2), (std::vector{a, b}));
  EXPECT_EQ(queue_.take_all(), (std::vector{c}));
  EXPECT_TRUE(queue_.empty());
  EXPECT_TRUE(queue_.take(5).empty());
}

TEST_F(RequestQueueTest, LetsGoOfTheFirstTheMiddleAndTheLast) {
  std::vector<std::shared_ptr<Request>> all;
  for (int i = 0; i < 5; ++i) all.push_back(append(1, 4, 100 + i));
  queue_.remove(*all[2]);
  queue_.remove(*all[2]);  // it is not there any more
  queue_.remove(*all[4]);
  queue_.remove(*all[0]);
  EXPECT_EQ(queue_.oldest_arrival_ns(), 101);
  EXPECT_EQ(queue_.rows(), 2);
  const auto late = append(1);
  EXPECT_EQ(queue_.take_all(), (std::vector{all[1], all[3], late}));
  EXPECT_EQ(queue_.oldest_arrival_ns(), kNever);
}

TEST_F(RequestQueueTest, WhatWasNeverQueuedIsNotTouched) {
  append(1);
  queue_.remove(*make_request());
  EXPECT_EQ(queue_.size(), 1);
}

TEST_F(RequestQueueTest, ACandidateNeverSplitsARequest) {
  append(3, 4, 100);
  append(4, 4, 200);
  append(2);
  const BatchCandidate candidate = queue_.candidate(8);
  EXPECT_EQ(candidate.requests, 2);
  EXPECT_EQ(candidate.rows, 7);
  EXPECT_EQ(candidate.oldest_arrival_ns, 100);
  EXPECT_EQ(candidate.end, End::kFull);
  EXPECT_EQ(queue_.candidate(9).requests, 3);
  EXPECT_EQ(queue_.candidate(9).end, End::kQueueEmpty);
}

TEST_F(RequestQueueTest, ACandidateEndsWhereTheShapeChanges) {
  append(1, 4);
  EXPECT_FALSE(queue_.signatures_differ());
  append(1, 5);
  append(1, 4);
  EXPECT_TRUE(queue_.signatures_differ());
  EXPECT_EQ(queue_.candidate(8).requests, 1);
  EXPECT_EQ(queue_.candidate(8).end, End::kShape);
  (void)queue_.take_all();
  EXPECT_FALSE(queue_.signatures_differ());
  EXPECT_EQ(queue_.candidate(8).requests, 0);
}

TEST_F(RequestQueueTest, ACandidateMaySpanSegmentsOfOneShape) {
  const auto a = append(5);
  const auto b = append(5);
  EXPECT_NE(segment_of(*a), segment_of(*b));
  EXPECT_EQ(queue_.candidate(16).requests, 2);
  EXPECT_EQ(queue_.candidate(16).end, End::kQueueEmpty);
}

TEST_F(RequestQueueTest, RowsOfOneShapeLieSideBySide) {
  const auto a = append(2);
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
  const auto elements = static_cast<int64_t>(RequestQueue::kMaxSegmentBytes / 4 / 2);
  const TensorView view{DType::kFloat32, Shape({1, elements}), nowhere};
  const auto request = make_request();
  queue_.append(request, {&view, 1});
  EXPECT_EQ(segment_of(*request)->capacity, 1);  // two would do, less the byte of safety
}

TEST_F(RequestQueueTest, NoMemoryLeavesTheQueueAlone) {
  const auto a = append(1);
  const TensorView view{DType::kFloat32, Shape({1, int64_t{1} << 58}), nullptr};
  EXPECT_THROW(queue_.append(make_request(), {&view, 1}), std::bad_alloc);
  EXPECT_EQ(queue_.size(), 1);
  const auto b = append(1);
  EXPECT_EQ(segment_of(*a), segment_of(*b));
  EXPECT_EQ(queue_.take_all(), (std::vector{a, b}));
}

TEST_F(RequestQueueTest, TakesOutWhatIsOverdue) {
  const auto first = append(1, 4, 0, 50);
  const auto second = append(1);
  const auto third = append(1, 4, 0, 30);
  const auto fourth = append(1, 4, 0, 90);
  EXPECT_EQ(queue_.earliest_deadline_ns(), 30);
  EXPECT_TRUE(queue_.take_expired(29).empty());
  EXPECT_EQ(queue_.take_expired(50), (std::vector{first, third}));
  EXPECT_EQ(queue_.earliest_deadline_ns(), 90);
  EXPECT_EQ(queue_.take_all(), (std::vector{second, fourth}));
  EXPECT_EQ(queue_.earliest_deadline_ns(), kNever);
}

TEST_F(RequestQueueTest, TheDeadlineOfOneThatLeftIsOnlyEarly) {
  const auto first = append(1, 4, 0, 30);
  append(1, 4, 0, 90);
  queue_.remove(*first);
  EXPECT_LE(queue_.earliest_deadline_ns(), 90);
  EXPECT_TRUE(queue_.take_expired(60).empty());
  EXPECT_EQ(queue_.earliest_deadline_ns(), 90);
}

TEST_F(RequestQueueTest, LetsGoOfRequestsWhenItGoes) {
  std::weak_ptr<Request> request;
  {
    RequestQueue queue(pool_, 8);
    request = append_rows(queue, Rows(0).view());
    EXPECT_FALSE(request.expired());
  }
  EXPECT_TRUE(request.expired());
}

}  // namespace
}  // namespace inferometer
