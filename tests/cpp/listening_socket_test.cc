#include "exposition/listening_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "exposition/open_sockets.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::string refusal(const std::string& host, int port) {
  try {
    const ListeningSocket socket(host, port);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ListeningSocketTest, PicksAPortAndKnowsItsAddress) {
  const ListeningSocket socket("127.0.0.1", 0);
  EXPECT_GT(socket.port(), 0);
  EXPECT_TRUE(socket.is_loopback());
  EXPECT_FALSE(socket.is_ipv6());
  EXPECT_EQ(socket.authority(), "127.0.0.1:" + std::to_string(socket.port()));
}

TEST(ListeningSocketTest, NamesAreResolved) {
  EXPECT_TRUE(ListeningSocket("localhost", 0).is_loopback());
}

TEST(ListeningSocketTest, AllInterfacesAreNotLoopbackButCanBeReachedThere) {
  const ListeningSocket socket("0.0.0.0", 0);
  EXPECT_FALSE(socket.is_loopback());
  EXPECT_EQ(socket.authority(), "127.0.0.1:" + std::to_string(socket.port()));
}

TEST(ListeningSocketTest, Ipv6) {
  const int probe = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (probe < 0) GTEST_SKIP() << "this machine has no IPv6";
  ::close(probe);
  if (!refusal("::1", 0).empty()) GTEST_SKIP() << "this machine has no [::1]";
  const ListeningSocket loopback("::1", 0);
  EXPECT_TRUE(loopback.is_ipv6());
  EXPECT_TRUE(loopback.is_loopback());
  EXPECT_EQ(loopback.authority(), "[::1]:" + std::to_string(loopback.port()));
  const ListeningSocket any("::", 0);
  EXPECT_FALSE(any.is_loopback());
  EXPECT_EQ(any.authority(), "[::1]:" + std::to_string(any.port()));
  EXPECT_TRUE(ListeningSocket("::ffff:127.0.0.1", 0).is_loopback());
}

TEST(ListeningSocketTest, ClosesUnlessReleased) {
  int fd = -1;
  {
    const ListeningSocket socket("127.0.0.1", 0);
    fd = socket.fd();
  }
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
  {
    ListeningSocket socket("127.0.0.1", 0);
    fd = socket.release();
    EXPECT_EQ(socket.fd(), -1);
  }
  EXPECT_GE(fcntl(fd, F_GETFD), 0);
  OpenSockets::close(fd);
}

TEST(ListeningSocketTest, APortInUseIsNamedWithItsHolder) {
  const ListeningSocket first("127.0.0.1", 0);
  const std::string error = refusal("127.0.0.1", first.port());
  EXPECT_TRUE(says(error, "cannot listen on 127.0.0.1:" + std::to_string(first.port()))) << error;
  EXPECT_TRUE(says(error, "in use by this process itself, pid " + std::to_string(getpid())))
      << error;
}

TEST(ListeningSocketTest, BadHostsAndPorts) {
  EXPECT_TRUE(says(refusal("", 0), "want a name or an address"));
  EXPECT_TRUE(says(refusal(std::string("127.0.0.1\0x", 11), 0), "NUL"));
  EXPECT_TRUE(says(refusal("256.0.0.1.invalid", 0), "got \"256.0.0.1.invalid\""));
  EXPECT_TRUE(says(refusal("127.0.0.1", -1), "got -1"));
  EXPECT_TRUE(says(refusal("127.0.0.1", 65536), "got 65536"));
  // An address of the documentation's network: nobody has it.
  EXPECT_TRUE(says(refusal("192.0.2.1", 0), "cannot listen on 192.0.2.1:0: no interface"));
}

TEST(ListeningSocketTest, ErrorsThatTheSystemDecidesOn) {
  EXPECT_TRUE(
      says(bind_error("h", 80, EACCES), "cannot listen on h:80: ports below 1024 need root"));
  EXPECT_TRUE(
      says(bind_error("::1", 80, EADDRNOTAVAIL), "cannot listen on [::1]:80: no interface"));
  EXPECT_TRUE(says(bind_error("h", 80, EMFILE), "Too many open files"));
}

}  // namespace
}  // namespace inferometer
