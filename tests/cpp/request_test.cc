#include "inferometer/request.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "inferometer/clock.h"
#include "queued_request.h"
#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

using WaitStatus = Request::WaitStatus;

void end(Request& request) {
  ASSERT_TRUE(Ending::claim(request));
  Ending::publish(request);
}

TEST(RequestTest, NamesAreTheMetricsLabelValues) {
  for (size_t i = 0; i < kOutcomes; ++i) {
    EXPECT_EQ(outcome_name(static_cast<Outcome>(i)), kStatusNames[i]);
  }
  for (size_t i = 0; i < kReleaseReasons; ++i) {
    EXPECT_EQ(release_reason_name(static_cast<ReleaseReason>(i)), kReasonNames[i]);
  }
}

TEST(RequestTest, WaitEndsWithTheDeadline) {
  const auto request = make_request();
  EXPECT_EQ(request->wait(0), WaitStatus::kDeadline);
  EXPECT_EQ(request->wait(-5), WaitStatus::kDeadline);
  EXPECT_EQ(request->wait(steady_clock().now_ns() + 1'000'000), WaitStatus::kDeadline);
  EXPECT_FALSE(request->ended());
  end(*request);
  EXPECT_EQ(request->wait(0), WaitStatus::kEnded);
}

TEST(RequestTest, AllWaitersAreWoken) {
  const auto request = make_request();
  std::vector<std::thread> waiters;
  for (const int64_t deadline : {kNever, kNever - 1, kNever, kNever}) {
    waiters.emplace_back([&, deadline] { EXPECT_EQ(request->wait(deadline), WaitStatus::kEnded); });
  }
  end(*request);
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(RequestTest, TheLastHandleMayGoWhileTheEnderStillWakes) {
  for (int round = 0; round < 200; ++round) {
    auto request = make_request();
    std::thread waiter([request]() mutable {
      EXPECT_EQ(request->wait(), WaitStatus::kEnded);
      request.reset();
    });
    end(*request);
    request.reset();
    waiter.join();
  }
}

TEST(RequestTest, ASignalHandlerEndsTheWaitAndNotTheRequest) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  const auto request = make_request();
  std::atomic<bool> reported{false};
  std::thread waiter([&] {
    EXPECT_EQ(request->wait(), WaitStatus::kSignal);
    reported = true;
    WaitStatus status = WaitStatus::kSignal;
    while (status == WaitStatus::kSignal) status = request->wait();
    EXPECT_EQ(status, WaitStatus::kEnded);
  });
  while (!reported) {
    pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  end(*request);
  waiter.join();
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(RequestTest, ARequestWithoutAnAnswerHasNoOutputs) {
  const auto request = make_request(3, 100, 200);
  end(*request);
  EXPECT_TRUE(request->outputs().empty());
  EXPECT_EQ(request->result_object(), nullptr);
  EXPECT_EQ(request->error(), nullptr);
  EXPECT_EQ(request->rows(), 3);
  EXPECT_EQ(request->arrival_ns(), 100);
  EXPECT_EQ(request->deadline_ns(), 200);
}

}  // namespace
}  // namespace inferometer
