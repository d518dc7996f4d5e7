#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>
#include <limits>

#include "inferometer/clock.h"

namespace inferometer {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

FutexStatus futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                       int64_t deadline_ns) noexcept {
  timespec deadline{};
  const bool bounded = deadline_ns != std::numeric_limits<int64_t>::max();
  if (bounded) {
    if (deadline_ns < 0) deadline_ns = 0;
    deadline.tv_sec = deadline_ns / kNanosPerSecond;
    deadline.tv_nsec = deadline_ns % kNanosPerSecond;
  }
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, steady_clock's own.
  const int64_t result = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                                 bounded ? &deadline : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0) return FutexStatus::kWoken;
  if (errno == ETIMEDOUT) return FutexStatus::kDeadline;
  return errno == EINTR ? FutexStatus::kSignal : FutexStatus::kWoken;
}

void futex_wake_all(const std::atomic<uint32_t>& word) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace inferometer
