#include "serving/request_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "queued_request.h"

namespace inferometer {
namespace {

using QueuedList = RequestList<member(InQueueField{})>;

class RequestListTest : public testing::Test {
 protected:
  // A request that arrived at `arrival_ns`.
  Request& request(int64_t arrival_ns) { return *made_.emplace_back(make_request(1, arrival_ns)); }
  std::vector<int64_t> arrivals() const {
    std::vector<int64_t> arrivals;
    for (const Request* r = list_.first(); r != nullptr; r = QueuedList::after(*r)) {
      arrivals.push_back(r->arrival_ns());
    }
    return arrivals;
  }
  void insert(Request& added) {
    list_.insert(
        added, [](const Request& a, const Request& b) { return a.arrival_ns() < b.arrival_ns(); });
  }

  QueuedList list_;
  std::vector<std::shared_ptr<Request>> made_;
};

using Arrivals = std::vector<int64_t>;

TEST_F(RequestListTest, AddsAtTheEnd) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.first(), nullptr);
  for (const int64_t arrival : {3, 1, 2}) list_.append(request(arrival));
  EXPECT_FALSE(list_.empty());
  EXPECT_EQ(arrivals(), (Arrivals{3, 1, 2}));
}

TEST_F(RequestListTest, TakesOutAnywhere) {
  Request& first = request(1);
  Request& middle = request(2);
  Request& last = request(3);
  for (Request* r : {&first, &middle, &last}) list_.append(*r);
  list_.remove(middle);
  EXPECT_EQ(arrivals(), (Arrivals{1, 3}));
  list_.remove(last);
  list_.append(request(4));  // behind what is last now
  EXPECT_EQ(arrivals(), (Arrivals{1, 4}));
  list_.remove(first);
  EXPECT_EQ(arrivals(), (Arrivals{4}));
  list_.remove(*list_.first());
  EXPECT_TRUE(list_.empty());
  list_.append(middle);  // what was taken out may come again
  EXPECT_EQ(arrivals(), (Arrivals{2}));
}

TEST_F(RequestListTest, InsertsInOrderAndEqualsBehindEachOther) {
  for (const int64_t arrival : {5, 2, 9, 1, 5}) insert(request(arrival));
  EXPECT_EQ(arrivals(), (Arrivals{1, 2, 5, 5, 9}));
  EXPECT_EQ(QueuedList::after(*QueuedList::after(*list_.first())),
            made_[0].get());  // the older of the equal
  list_.append(request(0));   // append() asks for no order
  EXPECT_EQ(arrivals().back(), 0);
}

TEST_F(RequestListTest, AListSurvivesAnyOrderOfComingAndGoing) {
  std::mt19937 random(11);
  std::vector<Request*> want;
  for (int step = 0; step < 2000; ++step) {
    if (want.empty() || random() % 5 < 3) {
      list_.append(*want.emplace_back(&request(step)));
    } else {
      const auto at = want.begin() + static_cast<std::ptrdiff_t>(random() % want.size());
      list_.remove(**at);
      want.erase(at);
    }
    const Request* got = list_.first();
    for (const Request* r : want) {
      ASSERT_EQ(got, r);
      got = QueuedList::after(*got);
    }
    ASSERT_EQ(got, nullptr);
  }
}

}  // namespace
}  // namespace inferometer
