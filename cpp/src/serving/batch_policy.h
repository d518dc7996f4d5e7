// When to send a batch, and which: a pure function of what waits, the time and the limits. No
// threads, no clock, no state, so that tests, the engine and the simulator share every decision.
// The rules are numbered in docs/batching.md.
#pragma once

#include <cstdint>

#include "inferometer/batching.h"
#include "inferometer/request.h"

namespace inferometer {

/// Requests of one group that could go into one batch together, in their order.
struct BatchCandidate {
  int64_t requests = 0;
  int64_t rows = 0;
  /// The longest beginning with exactly a preferred number of rows; 0 requests: none.
  int64_t preferred_requests = 0;
  int64_t preferred_rows = 0;
  /// Of all that wait in the group.
  int64_t oldest_arrival_ns = 0;
  /// The group's next request would make the batch too large.
  bool next_does_not_fit = false;
  /// Requests of other groups wait too.
  bool others_wait = false;
};

struct BatchDecision {
  /// Requests to send now, from the candidate's beginning; 0: none, look again at `wait_until_ns`
  /// or when something arrives.
  int64_t dispatch_requests = 0;
  ReleaseReason reason = ReleaseReason::kIdle;
  int64_t wait_until_ns = kNever;
};

/// Waiting is anchored at the oldest request's arrival, not at the moment somebody looked; a batch
/// that cannot grow any further never waits, and none does where requests are not merged. An
/// instance is free.
[[nodiscard]] BatchDecision decide_batch(const BatchCandidate& candidate, int64_t now_ns,
                                         const Batching& batching, bool draining) noexcept;

}  // namespace inferometer
