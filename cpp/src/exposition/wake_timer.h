// A moment to wake up at, as a file descriptor.
#pragma once

#include <chrono>

namespace inferometer {

/// A timerfd. (Boost.Asio's own timers, once used, wake their thread every five minutes for ever.)
/// Single-owner.
class WakeTimer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Off. Throws std::system_error where the system has no more descriptors.
  WakeTimer();

  /// Readable from the earliest moment since clear() on, until the next clear(). It is not closed
  /// here: whoever waits for it owns it.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Time::max(): never.
  void wake_by(Time moment);
  void clear();

 private:
  void set(Time moment) const;

  int fd_;
  Time moment_ = Time::max();
};

}  // namespace inferometer
