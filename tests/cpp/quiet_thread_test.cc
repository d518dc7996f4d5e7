#include "base/quiet_thread.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <utility>

namespace inferometer {
namespace {

sigset_t present_mask() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

TEST(QuietThreadTest, BlocksWhatTheApplicationHandlesAndNotItsOwnFaults) {
  sigset_t inside;
  start_quiet_thread([&] { inside = present_mask(); }).join();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGPROF}) {
    EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
    EXPECT_EQ(sigismember(&inside, signal), 0) << signal;
  }
}

TEST(QuietThreadTest, LeavesTheCallersMaskAlone) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  start_quiet_thread([] {}).join();
  const sigset_t after = present_mask();
  EXPECT_EQ(sigismember(&after, SIGUSR2), 1);
  EXPECT_EQ(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(QuietThreadTest, TakesFunctionsThatOnlyMove) {
  auto owned = std::make_unique<int>(7);
  int seen = 0;
  start_quiet_thread([&seen, owned = std::move(owned)] { seen = *owned; }).join();
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace inferometer
