#include "serving/batch_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inferometer {
namespace {

using End = BatchCandidate::End;
using Reason = ReleaseReason;

constexpr int64_t kMs = 1'000'000;

struct Case {
  std::string name;
  BatchCandidate candidate;
  int64_t now_ns;
  int64_t delay_ns;
  bool instance_free;
  bool draining;
  int64_t want_requests;
  Reason want_reason;
  int64_t want_wait_until;
};

class BatchPolicyTest : public testing::TestWithParam<Case> {};

TEST_P(BatchPolicyTest, Decides) {
  const Case& c = GetParam();
  Batching batching;
  batching.max_batch_size = 8;
  batching.max_queue_delay_ns = c.delay_ns;
  const BatchDecision got =
      decide_batch(c.candidate, c.now_ns, batching, c.instance_free, c.draining);
  EXPECT_EQ(got.dispatch_requests, c.want_requests);
  if (c.want_requests > 0) {
    EXPECT_EQ(got.reason, c.want_reason);
  } else {
    EXPECT_EQ(got.wait_until_ns, c.want_wait_until);
  }
}

// Requests arrived at 100 ms unless said otherwise; max_batch_size is 8.
const BatchCandidate kNothing{};
const BatchCandidate kThree{3, 3, 100 * kMs, End::kQueueEmpty};
const BatchCandidate kExactlyFull{4, 8, 100 * kMs, End::kQueueEmpty};
const BatchCandidate kNextDoesNotFit{2, 7, 100 * kMs, End::kFull};
const BatchCandidate kNextDiffers{2, 2, 100 * kMs, End::kShape};

INSTANTIATE_TEST_SUITE_P(
    Table, BatchPolicyTest,
    testing::ValuesIn(std::vector<Case>{
        {"nothing_waits", kNothing, 100 * kMs, 0, true, false, 0, Reason::kIdle, kNever},
        {"nothing_waits_draining", kNothing, 100 * kMs, 0, true, true, 0, Reason::kIdle, kNever},
        {"no_delay_goes_at_once", kThree, 100 * kMs, 0, true, false, 3, Reason::kIdle, 0},
        {"busy_waits_even_when_full", kExactlyFull, 100 * kMs, 0, false, false, 0, Reason::kIdle,
         kNever},
        {"busy_waits_even_when_late", kThree, 900 * kMs, 5 * kMs, false, false, 0, Reason::kIdle,
         kNever},
        {"full_goes_before_the_delay", kExactlyFull, 100 * kMs, 5 * kMs, true, false, 4,
         Reason::kFull, 0},
        {"cannot_grow_goes_before_the_delay", kNextDoesNotFit, 100 * kMs, 5 * kMs, true, false, 2,
         Reason::kFull, 0},
        {"other_shape_behind_goes_before_the_delay", kNextDiffers, 100 * kMs, 5 * kMs, true, false,
         2, Reason::kShape, 0},
        {"waits_from_arrival_not_from_now", kThree, 103 * kMs, 5 * kMs, true, false, 0,
         Reason::kIdle, 105 * kMs},
        {"one_nanosecond_early", kThree, 105 * kMs - 1, 5 * kMs, true, false, 0, Reason::kIdle,
         105 * kMs},
        {"delay_is_over", kThree, 105 * kMs, 5 * kMs, true, false, 3, Reason::kDelay, 0},
        {"draining_does_not_wait", kThree, 101 * kMs, 5 * kMs, true, true, 3, Reason::kDrain, 0},
        {"draining_full_is_still_full", kExactlyFull, 101 * kMs, 5 * kMs, true, true, 4,
         Reason::kFull, 0},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace inferometer
