#include "serving/deadline_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "queued_request.h"

namespace inferometer {
namespace {

using Requests = std::vector<std::shared_ptr<Request>>;

Requests make_requests(size_t count) {
  Requests requests;
  for (size_t i = 0; i < count; ++i) requests.push_back(make_request());
  return requests;
}

TEST(DeadlineHeapTest, IsEmptyAtFirst) {
  DeadlineHeap heap;
  EXPECT_EQ(heap.earliest_ns(), kNever);
  EXPECT_EQ(heap.pop(kNever), nullptr);
  heap.remove(*make_request());  // what is not here is left alone
  EXPECT_EQ(heap.earliest_ns(), kNever);
}

TEST(DeadlineHeapTest, GivesTheEarliestOnceItIsDue) {
  DeadlineHeap heap;
  const Requests r = make_requests(3);
  heap.set(*r[0], 30);
  heap.set(*r[1], 10);
  heap.set(*r[2], 20);
  EXPECT_EQ(heap.earliest_ns(), 10);
  EXPECT_EQ(heap.pop(9), nullptr);
  EXPECT_EQ(heap.pop(10), r[1].get());  // due at its very time
  EXPECT_EQ(heap.pop(99), r[2].get());
  EXPECT_EQ(heap.pop(99), r[0].get());
  EXPECT_EQ(heap.pop(99), nullptr);
}

TEST(DeadlineHeapTest, SetMovesWhatIsHereEitherWay) {
  DeadlineHeap heap;
  const Requests r = make_requests(3);
  for (size_t i = 0; i < 3; ++i) heap.set(*r[i], 10 * static_cast<int64_t>(i + 1));
  heap.set(*r[0], 25);  // later
  EXPECT_EQ(heap.earliest_ns(), 20);
  heap.set(*r[2], 5);  // earlier
  EXPECT_EQ(heap.pop(99), r[2].get());
  EXPECT_EQ(heap.pop(99), r[1].get());
  EXPECT_EQ(heap.pop(99), r[0].get());
}

TEST(DeadlineHeapTest, NeverTakesARequestOut) {
  DeadlineHeap heap;
  const Requests r = make_requests(2);
  heap.set(*r[0], kNever);  // it was not here either
  EXPECT_EQ(heap.earliest_ns(), kNever);
  heap.set(*r[0], 1);
  heap.set(*r[1], 2);
  heap.set(*r[0], kNever);
  EXPECT_EQ(heap.earliest_ns(), 2);
  heap.set(*r[0], 1);  // and it may come again
  EXPECT_EQ(heap.pop(9), r[0].get());
}

TEST(DeadlineHeapTest, WhatWasTakenOutMayComeAgain) {
  DeadlineHeap heap;
  const auto request = make_request();
  heap.set(*request, 1);
  EXPECT_EQ(heap.pop(1), request.get());
  heap.remove(*request);
  heap.set(*request, 2);
  heap.remove(*request);
  EXPECT_EQ(heap.earliest_ns(), kNever);
}

/// The same by the obvious means, for comparison.
class Oracle {
 public:
  void set(Request* request, int64_t due_ns) {
    remove(request);
    if (due_ns != kNever) entries_.emplace(due_ns, request);
  }
  void remove(Request* request) {
    std::erase_if(entries_, [&](const auto& entry) { return entry.second == request; });
  }
  [[nodiscard]] int64_t earliest_ns() const {
    return entries_.empty() ? kNever : entries_.begin()->first;
  }
  // Of several that are due at one time any may come first.
  [[nodiscard]] bool first_may_be(Request* request) const {
    const auto [begin, end] = entries_.equal_range(earliest_ns());
    return std::any_of(begin, end, [&](const auto& entry) { return entry.second == request; });
  }

 private:
  std::multimap<int64_t, Request*> entries_;
};

TEST(DeadlineHeapTest, DoesWhatASortedMapDoes) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    const auto below = [&](uint32_t n) { return static_cast<int64_t>(random() % n); };
    const Requests requests = make_requests(40);
    DeadlineHeap heap;
    Oracle oracle;
    for (int step = 0; step < 5000; ++step) {
      Request* const request = requests[static_cast<size_t>(below(40))].get();
      const int64_t kind = below(8);
      if (kind < 4) {
        const int64_t due = kind == 0 && below(4) == 0 ? kNever : below(60);  // with ties
        heap.set(*request, due);
        oracle.set(request, due);
      } else if (kind < 6) {
        heap.remove(*request);
        oracle.remove(request);
      } else {
        const int64_t now = below(60);
        Request* const popped = heap.pop(now);
        ASSERT_EQ(popped != nullptr, oracle.earliest_ns() <= now) << "seed " << seed;
        if (popped != nullptr) {
          ASSERT_TRUE(oracle.first_may_be(popped)) << "seed " << seed << " step " << step;
          oracle.remove(popped);
        }
      }
      ASSERT_EQ(heap.earliest_ns(), oracle.earliest_ns()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(DeadlineHeapTest, HoldsAHundredThousand) {
  constexpr size_t kMany = 100'000;
  const Requests requests = make_requests(kMany);
  std::vector<int64_t> due(kMany);
  for (size_t i = 0; i < kMany; ++i) due[i] = static_cast<int64_t>(i);
  std::ranges::shuffle(due, std::mt19937(7));
  DeadlineHeap heap;
  for (size_t i = 0; i < kMany; ++i) heap.set(*requests[i], due[i]);
  for (size_t i = 0; i < kMany; i += 2) heap.remove(*requests[i]);
  std::vector<int64_t> want;
  for (size_t i = 1; i < kMany; i += 2) want.push_back(due[i]);
  std::ranges::sort(want);
  for (const int64_t next : want) {
    ASSERT_EQ(heap.earliest_ns(), next);
    ASSERT_NE(heap.pop(kNever - 1), nullptr);
  }
  EXPECT_EQ(heap.earliest_ns(), kNever);
}

}  // namespace
}  // namespace inferometer
