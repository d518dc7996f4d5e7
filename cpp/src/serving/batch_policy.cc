#include "serving/batch_policy.h"

namespace inferometer {

BatchDecision decide_batch(const BatchCandidate& candidate, int64_t now_ns,
                           const Batching& batching, bool draining) noexcept {
  if (candidate.requests == 0) return {};
  const auto all = [&](ReleaseReason reason) {
    return BatchDecision{candidate.requests, reason, kNever};
  };
  if (!batching.merge_requests) return all(ReleaseReason::kIdle);
  const int64_t delay_ns = batching.max_queue_delay_ns;
  const int64_t send_at = candidate.oldest_arrival_ns + delay_ns;
  const bool delay_is_over = delay_ns > 0 && now_ns >= send_at;
  if (candidate.preferred_requests > 0 && !delay_is_over) {
    const bool full = candidate.preferred_rows >= batching.max_batch_size;
    return {candidate.preferred_requests, full ? ReleaseReason::kFull : ReleaseReason::kPreferred,
            kNever};
  }
  if (candidate.rows >= batching.max_batch_size || candidate.next_does_not_fit) {
    return all(ReleaseReason::kFull);
  }
  const auto& preferred = batching.preferred_batch_sizes;
  if (!preferred.empty() && candidate.rows > preferred.back()) {
    return all(ReleaseReason::kPreferred);
  }
  const bool buckets = batching.padding && !batching.padding->buckets.empty();
  if (candidate.others_wait && !buckets) return all(ReleaseReason::kShape);
  if (draining) return all(ReleaseReason::kDrain);
  if (delay_ns == 0) return all(ReleaseReason::kIdle);
  if (delay_is_over) return all(ReleaseReason::kDelay);
  return {0, ReleaseReason::kIdle, send_at};
}

}  // namespace inferometer
