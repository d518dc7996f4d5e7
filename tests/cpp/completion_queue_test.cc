#include "inferometer/completion_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "queued_request.h"

namespace inferometer {
namespace {

bool readable(const CompletionQueue& queue) {
  pollfd poll_fd{queue.fd(), POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

TEST(CompletionQueueTest, IsReadableWhileThereIsSomethingToTake) {
  CompletionQueue queue;
  EXPECT_FALSE(readable(queue));
  EXPECT_TRUE(queue.take().empty());
  const std::vector<std::shared_ptr<Request>> two = {make_request(), make_request()};
  queue.push(two);
  EXPECT_TRUE(readable(queue));
  EXPECT_EQ(queue.take(), two);
  EXPECT_FALSE(readable(queue));
  EXPECT_TRUE(queue.take().empty());
}

TEST(CompletionQueueTest, WakesOnceUntilTaken) {
  CompletionQueue queue;
  const std::vector<std::shared_ptr<Request>> one = {make_request()};
  queue.push(one);
  queue.push(one);
  queue.push({});
  EXPECT_EQ(queue.wakeups(), 1U);
  EXPECT_EQ(queue.take().size(), 2U);
  queue.push({});
  EXPECT_EQ(queue.wakeups(), 1U);
  EXPECT_FALSE(readable(queue));
  queue.push(one);
  EXPECT_EQ(queue.wakeups(), 2U);
}

TEST(CompletionQueueTest, LetsGoOfWhatNobodyTook) {
  const auto request = make_request();
  {
    CompletionQueue queue;
    queue.push({&request, 1});
    EXPECT_EQ(request.use_count(), 2);
  }
  EXPECT_EQ(request.use_count(), 1);
}

// A loop that sleeps on fd() as an event loop does takes all that many workers push.
TEST(CompletionQueueTest, NothingPushedIsMissedByALoopThatSleepsOnTheDescriptor) {
  constexpr int kThreads = 3;
  constexpr int kEach = 2000;
  CompletionQueue queue;
  std::vector<std::thread> workers;
  for (int t = 0; t < kThreads; ++t) {
    workers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const auto request = make_request();
        queue.push({&request, 1});
      }
    });
  }
  size_t taken = 0;
  while (taken < size_t{kThreads} * kEach) {
    pollfd poll_fd{queue.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&poll_fd, 1, -1), 1);
    const size_t now = queue.take().size();
    EXPECT_GT(now, 0U);  // it never wakes for nothing
    taken += now;
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_FALSE(readable(queue));
  EXPECT_LE(queue.wakeups(), taken);
}

}  // namespace
}  // namespace inferometer
