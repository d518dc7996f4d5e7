// A bound and listening TCP socket, or an error that helps.
#pragma once

#include <string>

namespace inferometer {

/// Owns the socket until release(). Single-owner.
class ListeningSocket {
 public:
  /// Binds to the first address of `host` that can be bound. Throws ConfigError, see bind_error().
  ListeningSocket(const std::string& host, int port);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] bool is_ipv6() const noexcept { return ipv6_; }
  [[nodiscard]] bool is_loopback() const noexcept { return loopback_; }
  /// "127.0.0.1:8002", "[::1]:8002"; of a socket on all interfaces, the loopback address.
  [[nodiscard]] const std::string& authority() const noexcept { return authority_; }
  /// Gives the socket away; close it through OpenSockets.
  [[nodiscard]] int release() noexcept;

 private:
  void learn_address();

  int fd_ = -1;
  int port_ = 0;
  bool ipv6_ = false;
  bool loopback_ = false;
  std::string authority_;
};

/// What to say where host and port could not be bound: names both, and for an errno that users meet
/// what to do about it.
[[nodiscard]] std::string bind_error(const std::string& host, int port, int error);

}  // namespace inferometer
