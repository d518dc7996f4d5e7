#include "serving/batch_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inferometer {
namespace {

using Reason = ReleaseReason;

constexpr int64_t kMs = 1'000'000;

struct Case {
  std::string name;
  BatchCandidate candidate;
  int64_t now_ns;
  int64_t delay_ns;
  int64_t want_requests;
  Reason want_reason;
  int64_t want_wait_until = kNever;
  std::vector<int64_t> preferred = {};
  bool draining = false;
  bool buckets = false;
  bool merge = true;
};

class BatchPolicyTest : public testing::TestWithParam<Case> {};

TEST_P(BatchPolicyTest, Decides) {
  const Case& c = GetParam();
  Batching batching;
  batching.max_batch_size = 8;
  batching.max_queue_delay_ns = c.delay_ns;
  batching.preferred_batch_sizes = c.preferred;
  batching.merge_requests = c.merge;
  if (c.buckets) batching.padding = Padding{.buckets = {16, 32}};
  const BatchDecision got = decide_batch(c.candidate, c.now_ns, batching, c.draining);
  EXPECT_EQ(got.dispatch_requests, c.want_requests);
  if (c.want_requests > 0) {
    EXPECT_EQ(got.reason, c.want_reason);
  } else {
    EXPECT_EQ(got.wait_until_ns, c.want_wait_until);
  }
}

// The oldest arrived at 100 ms; max_batch_size is 8.
BatchCandidate waiting(int64_t requests, int64_t rows) {
  return {.requests = requests, .rows = rows, .oldest_arrival_ns = 100 * kMs};
}
BatchCandidate next_does_not_fit() {
  BatchCandidate candidate = waiting(2, 7);
  candidate.next_does_not_fit = true;
  return candidate;
}
BatchCandidate beside_others(BatchCandidate candidate = waiting(2, 2)) {
  candidate.others_wait = true;
  return candidate;
}
// Of `requests` requests of one row.
BatchCandidate reaching(int64_t preferred, int64_t requests) {
  BatchCandidate candidate = waiting(requests, requests);
  candidate.preferred_requests = candidate.preferred_rows = preferred;
  return candidate;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BatchPolicyTest,
    testing::ValuesIn(std::vector<Case>{
        {"nothing_waits", {}, 100 * kMs, 0, 0, Reason::kIdle},
        {"no_delay_goes_at_once", waiting(3, 3), 100 * kMs, 0, 3, Reason::kIdle},
        {"full_goes_before_the_delay", waiting(4, 8), 100 * kMs, 5 * kMs, 4, Reason::kFull},
        {"too_large_goes_alone", waiting(1, 20), 100 * kMs, 5 * kMs, 1, Reason::kFull},
        {"cannot_grow_goes_before_the_delay", next_does_not_fit(), 100 * kMs, 5 * kMs, 2,
         Reason::kFull},
        {"others_push_it_out", beside_others(), 100 * kMs, 5 * kMs, 2, Reason::kShape},
        {"others_are_named_without_a_delay", beside_others(), 100 * kMs, 0, 2, Reason::kShape},
        {"full_beside_others_is_full", beside_others(waiting(4, 8)), 100 * kMs, 0, 4,
         Reason::kFull},
        {"buckets_wait_for_their_own",
         beside_others(),
         100 * kMs,
         5 * kMs,
         0,
         Reason::kIdle,
         105 * kMs,
         {},
         false,
         true},
        {"waits_from_arrival_not_from_now", waiting(3, 3), 103 * kMs, 5 * kMs, 0, Reason::kIdle,
         105 * kMs},
        {"one_nanosecond_early", waiting(3, 3), 105 * kMs - 1, 5 * kMs, 0, Reason::kIdle,
         105 * kMs},
        {"delay_is_over", waiting(3, 3), 105 * kMs, 5 * kMs, 3, Reason::kDelay},
        {"draining_does_not_wait",
         waiting(3, 3),
         101 * kMs,
         5 * kMs,
         3,
         Reason::kDrain,
         kNever,
         {},
         true},
        {"draining_full_is_still_full",
         waiting(4, 8),
         101 * kMs,
         5 * kMs,
         4,
         Reason::kFull,
         kNever,
         {},
         true},
        {"one_row_more_than_preferred",
         waiting(2, 5),
         101 * kMs,
         5 * kMs,
         2,
         Reason::kPreferred,
         kNever,
         {4}},
        {"preferred_goes_exactly",
         reaching(4, 6),
         101 * kMs,
         5 * kMs,
         4,
         Reason::kPreferred,
         kNever,
         {4}},
        {"preferred_without_a_delay",
         reaching(4, 6),
         900 * kMs,
         0,
         4,
         Reason::kPreferred,
         kNever,
         {4}},
        {"preferred_is_forgotten_when_late",
         reaching(4, 6),
         105 * kMs,
         5 * kMs,
         6,
         Reason::kPreferred,
         kNever,
         {4}},
        {"below_preferred_when_late",
         reaching(2, 3),
         105 * kMs,
         5 * kMs,
         3,
         Reason::kDelay,
         kNever,
         {2, 4}},
        {"below_preferred_waits",
         waiting(3, 3),
         101 * kMs,
         5 * kMs,
         0,
         Reason::kIdle,
         105 * kMs,
         {4}},
        {"beyond_the_largest_preferred",
         waiting(2, 6),
         101 * kMs,
         5 * kMs,
         2,
         Reason::kPreferred,
         kNever,
         {4}},
        {"between_preferred_waits",
         waiting(2, 3),
         101 * kMs,
         5 * kMs,
         0,
         Reason::kIdle,
         105 * kMs,
         {2, 4}},
        {"unmerged_is_idle_beside_others_too",
         beside_others(waiting(1, 8)),
         100 * kMs,
         0,
         1,
         Reason::kIdle,
         kNever,
         {},
         true,
         false,
         false},
        {"unmerged_and_nothing_waits",
         {},
         100 * kMs,
         0,
         0,
         Reason::kIdle,
         kNever,
         {},
         false,
         false,
         false},
        {"a_preferred_full_batch_is_full",
         reaching(8, 8),
         101 * kMs,
         5 * kMs,
         8,
         Reason::kFull,
         kNever,
         {4, 8}},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace inferometer
