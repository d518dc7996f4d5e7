// Places where a test can stop a thread of the engine, to force an interleaving.
#pragma once

#include <atomic>
#include <cstdint>

namespace inferometer {

/// All but the last lie outside the engine's lock, where another thread may come between.
enum class RacePoint : uint8_t {
  kQueuedNotCopied,  // submit(): the request waits, its rows (too large for the lock) are not there
  kTaken,            // a batch was taken from the queue, the model has not begun
  kLeaderChosen,     // a batch has ended, its callers and the next leader have not been woken
  kWorkerSleeps,     // a worker found nothing to do; under the lock: whoever has it next finds the
                     // worker asleep. The hook must not block
};

/// What threads do there; null, outside of tests: nothing, at the price of one load of a word that
/// nobody writes.
using RaceHook = void (*)(RacePoint);
inline std::atomic<RaceHook> race_hook{nullptr};

inline void race_point(RacePoint point) noexcept {
  const RaceHook hook = race_hook.load(std::memory_order_acquire);
  if (hook != nullptr) [[unlikely]] {
    hook(point);
  }
}

}  // namespace inferometer
