// The sockets that a forked child must not keep.
#pragma once

namespace inferometer {

/// A child of fork() gets a copy of every descriptor. With a copy of a listening socket it would
/// keep the port bound after the parent has gone, and with one of a connection the client would
/// never see its end. So sockets are opened and closed here, under a lock that fork() takes, and
/// the child closes its copies before fork() returns. (Programs that are executed are no problem:
/// all are close-on-exec.)
/// Thread-safe.
class OpenSockets {
 public:
  /// A new non-blocking socket; -1 with errno.
  static int open(int family, int type);
  /// The next connection of a listening socket, non-blocking; -1 with errno.
  static int accept(int listening);
  /// Closes one of these with `close_it(fd)`.
  template <typename Close>
  static void close(int fd, Close&& close_it) {
    const Guard guard;
    close_it(fd);
    forget(fd);
  }
  /// Closes it with close(2).
  static void close(int fd) noexcept;

 private:
  struct Guard {
    Guard();
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
  };
  static void forget(int fd) noexcept;
};

}  // namespace inferometer
