#include "serving/batch_policy.h"

namespace inferometer {

BatchDecision decide_batch(const BatchCandidate& candidate, int64_t now_ns,
                           const Batching& batching, bool instance_free, bool draining) noexcept {
  if (candidate.requests == 0 || !instance_free) return {};
  const auto dispatch = [&](ReleaseReason reason) {
    return BatchDecision{candidate.requests, reason, kNever};
  };
  if (candidate.rows >= batching.max_batch_size || candidate.end == BatchCandidate::End::kFull) {
    return dispatch(ReleaseReason::kFull);
  }
  if (candidate.end == BatchCandidate::End::kShape) return dispatch(ReleaseReason::kShape);
  if (draining) return dispatch(ReleaseReason::kDrain);
  if (batching.max_queue_delay_ns == 0) return dispatch(ReleaseReason::kIdle);
  const int64_t send_at = candidate.oldest_arrival_ns + batching.max_queue_delay_ns;
  if (now_ns >= send_at) return dispatch(ReleaseReason::kDelay);
  return {0, ReleaseReason::kIdle, send_at};
}

}  // namespace inferometer
