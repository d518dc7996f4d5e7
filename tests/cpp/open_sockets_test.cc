#include "exposition/open_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace inferometer {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(OpenSocketsTest, SocketsDoNotBlockAndAreNotInheritedByPrograms) {
  const int fd = OpenSockets::open(AF_INET, SOCK_STREAM);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
  ASSERT_EQ(listen(fd, 1), 0);
  EXPECT_EQ(OpenSockets::accept(fd), -1);
  EXPECT_EQ(errno, EAGAIN);
  OpenSockets::close(fd);
  EXPECT_FALSE(is_open(fd));
}

TEST(OpenSocketsTest, AFailureLeavesErrno) {
  EXPECT_EQ(OpenSockets::open(-1, SOCK_STREAM), -1);
  EXPECT_EQ(errno, EAFNOSUPPORT);
}

TEST(OpenSocketsTest, AChildHasWhatIsNotOursAndTheParentKeepsAll) {
  const int ours = OpenSockets::open(AF_INET, SOCK_STREAM);
  const int closed = OpenSockets::open(AF_INET, SOCK_STREAM);
  bool was_called = false;
  OpenSockets::close(closed, [&](int fd) {
    was_called = true;
    ::close(fd);
  });
  EXPECT_TRUE(was_called);
  const int reused = socket(AF_INET, SOCK_STREAM, 0);  // most likely the number that was closed
  const pid_t child = fork();
  if (child == 0) _exit(!is_open(ours) && is_open(reused) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(is_open(ours));
  OpenSockets::close(ours);
  ::close(reused);
}

// A child that hangs is ended by its alarm, which fails the test; none of this waits for time.
TEST(OpenSocketsTest, ForkingWhileOthersOpenAndClose) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) OpenSockets::close(OpenSockets::open(AF_INET, SOCK_STREAM));
  });
  for (int round = 0; round < 100; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      const int fd = OpenSockets::open(AF_INET, SOCK_STREAM);
      OpenSockets::close(fd);
      _exit(fd >= 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  stop = true;
  other.join();
}

}  // namespace
}  // namespace inferometer
