#include "serving/ending.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "queued_request.h"

namespace inferometer {
namespace {

TEST(EndingTest, OneOfManyClaimsSucceeds) {
  for (int round = 0; round < 200; ++round) {
    const auto request = make_request();
    std::atomic<int> winners{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        if (t == 0) (void)Ending::start(*request);
        if (!Ending::claim(*request)) return;
        ++winners;
        Ending::publish(*request);
      });
    }
    EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST(EndingTest, StatesFollowEachOther) {
  const auto request = make_request();
  EXPECT_FALSE(request->running());
  EXPECT_TRUE(Ending::start(*request));
  EXPECT_FALSE(Ending::start(*request));
  EXPECT_TRUE(request->running());
  EXPECT_TRUE(Ending::claim(*request));
  EXPECT_FALSE(Ending::claim(*request));
  EXPECT_FALSE(request->running());
  EXPECT_FALSE(request->ended());
  Ending::publish(*request);
  EXPECT_TRUE(request->ended());
  EXPECT_FALSE(Ending::claim(*request));
  EXPECT_FALSE(Ending::start(*request));
}

TEST(EndingTest, WhatWasClaimedDoesNotStart) {
  const auto request = make_request();
  EXPECT_TRUE(Ending::claim(*request));
  EXPECT_FALSE(Ending::start(*request));
}

TEST(EndingTest, AWaiterIsRememberedThroughAllStates) {
  const auto request = make_request();
  std::thread waiter([&] { EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded); });
  while ((state_of(*request).load() & Ending::kHasWaiter) == 0) std::this_thread::yield();
  EXPECT_TRUE(Ending::start(*request));
  EXPECT_NE(state_of(*request).load() & Ending::kHasWaiter, 0U);
  EXPECT_TRUE(Ending::claim(*request));
  EXPECT_NE(state_of(*request).load() & Ending::kHasWaiter, 0U);
  Ending::publish(*request);
  waiter.join();
}

TEST(EndingTest, TheWorkerSeesTheRowsThatWereFilled) {
  for (int round = 0; round < 500; ++round) {
    const auto request = make_request();
    int row = 0;  // not atomic: the protocol orders it
    std::thread submitter([&] {
      row = round;
      Ending::mark_filled(*request);
    });
    Ending::wait_filled(*request);
    EXPECT_EQ(row, round);
    submitter.join();
    Ending::wait_filled(*request);
  }
}

}  // namespace
}  // namespace inferometer
