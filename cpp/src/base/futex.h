// Sleeping on a 32-bit word. Unlike std::atomic::wait this has deadlines and returns when a signal
// handler ran, which is how Ctrl-C gets through.
#pragma once

#include <atomic>
#include <cstdint>

namespace inferometer {

enum class FutexStatus : uint8_t { kWoken, kDeadline, kSignal };

/// Sleeps while `word` is `expected`, until woken, or until `deadline_ns` on steady_clock()
/// (INT64_MAX: none). Wakes may be spurious: look at the word again.
FutexStatus futex_wait(const std::atomic<uint32_t>& word, uint32_t expected,
                       int64_t deadline_ns) noexcept;
void futex_wake_all(const std::atomic<uint32_t>& word) noexcept;

}  // namespace inferometer
