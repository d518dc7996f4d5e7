#include "base/futex.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <limits>
#include <thread>
#include <vector>

#include "inferometer/clock.h"

namespace inferometer {
namespace {

constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

TEST(FutexTest, ReturnsAtOnceIfTheWordIsNotAsExpected) {
  const std::atomic<uint32_t> word{1};
  EXPECT_EQ(futex_wait(word, 0, kNoDeadline), FutexStatus::kWoken);
}

TEST(FutexTest, PastAndComingDeadlinesEndTheSleep) {
  const std::atomic<uint32_t> word{0};
  EXPECT_EQ(futex_wait(word, 0, std::numeric_limits<int64_t>::min()), FutexStatus::kDeadline);
  EXPECT_EQ(futex_wait(word, 0, 0), FutexStatus::kDeadline);
  const int64_t deadline = steady_clock().now_ns() + 1'000'000;
  FutexStatus status{};
  do {  // spurious wakes are allowed
    status = futex_wait(word, 0, deadline);
  } while (status == FutexStatus::kWoken);
  EXPECT_EQ(status, FutexStatus::kDeadline);
  EXPECT_GE(steady_clock().now_ns(), deadline);
}

TEST(FutexTest, WakesAllWhoSleepWhateverTheirDeadlines) {
  std::atomic<uint32_t> word{0};
  std::vector<std::thread> sleepers;
  for (const int64_t deadline : {kNoDeadline, kNoDeadline - 1, kNoDeadline}) {
    sleepers.emplace_back([&word, deadline] {
      while (word.load() == 0) (void)futex_wait(word, 0, deadline);
    });
  }
  word = 1;
  futex_wake_all(word);
  for (std::thread& sleeper : sleepers) sleeper.join();
}

TEST(FutexTest, TellsThatASignalHandlerRan) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};  // without SA_RESTART, as Python installs its handlers
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  const std::atomic<uint32_t> word{0};
  std::atomic<bool> reported{false};
  std::thread sleeper([&] {
    while (futex_wait(word, 0, kNoDeadline) != FutexStatus::kSignal) {
    }
    reported = true;
  });
  // A signal that comes before the sleep is not reported, so they come until one is.
  while (!reported) {
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  sleeper.join();
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace inferometer
