// When to send a batch, and which: a pure function of what waits, the time and the limits. No
// threads, no clock, no state, so that tests, the engine and the simulator share every decision.
#pragma once

#include <cstdint>

#include "inferometer/batching.h"
#include "inferometer/request.h"

namespace inferometer {

/// The requests at the head of the queue that could go into one batch together.
struct BatchCandidate {
  /// Why the candidate ends where it ends.
  enum class End : uint8_t { kQueueEmpty, kFull, kShape };

  int64_t requests = 0;
  int64_t rows = 0;
  int64_t oldest_arrival_ns = 0;
  End end = End::kQueueEmpty;
};

struct BatchDecision {
  /// Requests to send now, from the head of the queue; 0: none, look again at `wait_until_ns` or
  /// when something arrives.
  int64_t dispatch_requests = 0;
  ReleaseReason reason = ReleaseReason::kIdle;
  int64_t wait_until_ns = kNever;
};

/// Waiting is anchored at the oldest request's arrival, not at the moment somebody looked; a batch
/// that cannot grow any further never waits.
[[nodiscard]] BatchDecision decide_batch(const BatchCandidate& candidate, int64_t now_ns,
                                         const Batching& batching, bool instance_free,
                                         bool draining) noexcept;

}  // namespace inferometer
