#include "exposition/port_holder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "exposition/listening_socket.h"

namespace inferometer {
namespace {

TEST(PortHolderTest, ThisProcess) {
  for (const char* host : {"127.0.0.1", "0.0.0.0"}) {
    const ListeningSocket socket(host, 0);
    EXPECT_EQ(describe_port_holder(socket.port()),
              "this process itself, pid " + std::to_string(getpid()));
  }
}

TEST(PortHolderTest, AnotherProcessIsNamed) {
  std::array<int, 2> port_pipe{};
  std::array<int, 2> end_pipe{};
  ASSERT_EQ(pipe(port_pipe.data()), 0);
  ASSERT_EQ(pipe(end_pipe.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(end_pipe[1]);
    const ListeningSocket socket("127.0.0.1", 0);
    const int port = socket.port();
    (void)!write(port_pipe[1], &port, sizeof port);
    char end = 0;
    (void)!read(end_pipe[0], &end, 1);
    _exit(0);
  }
  int port = 0;
  ASSERT_EQ(read(port_pipe[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
  EXPECT_EQ(describe_port_holder(port), "pid " + std::to_string(child) + " (test_exposition)");
  for (const int fd : {end_pipe[1], end_pipe[0], port_pipe[0], port_pipe[1]}) close(fd);
  waitpid(child, nullptr, 0);
}

TEST(PortHolderTest, WhereNobodyIsFoundItSaysHowToFindOut) {
  const std::string told = describe_port_holder(0);
  EXPECT_NE(told.find("ss -ltnp 'sport = :0'"), std::string::npos) << told;
}

}  // namespace
}  // namespace inferometer
