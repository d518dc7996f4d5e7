#include "exposition/wake_timer.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <system_error>

namespace inferometer {

WakeTimer::WakeTimer() : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::system_category(), "timerfd_create");
}

void WakeTimer::wake_by(Time moment) {
  if (moment >= moment_) return;
  moment_ = moment;
  set(moment);
}

void WakeTimer::clear() {
  moment_ = Time::max();
  set(moment_);
}

// Setting it anew also takes back that it is readable.
void WakeTimer::set(Time moment) const {
  itimerspec when{};
  if (moment != Time::max()) {
    // A moment of 0 would switch it off; one that is past makes it readable at once.
    const auto ns = std::max<int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count(), 1);
    when.it_value.tv_sec = ns / 1'000'000'000;
    when.it_value.tv_nsec = ns % 1'000'000'000;
  }
  timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace inferometer
