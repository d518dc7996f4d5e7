#include "inferometer/batching.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"
#include "inferometer/shape.h"
#include "scheduler_fixture.h"

namespace inferometer {
namespace {

// What check() says of the defaults, changed; empty: nothing.
std::string batching_error(const std::function<void(Batching&)>& change) {
  Batching batching;
  change(batching);
  return error_of([&] { batching.check(); });
}

TEST(BatchingTest, DefaultsAreFine) {
  EXPECT_EQ(batching_error([](Batching&) {}), "");
  EXPECT_EQ(Batching().max_queue_delay_ns, 0);  // nobody waits for company unasked
}

TEST(BatchingTest, SizesAndDelaysHaveLimits) {
  EXPECT_EQ(batching_error([](Batching& b) { b.max_batch_size = 0; }),
            "max_batch_size: got 0, want 1 to 1048576");
  EXPECT_NE(batching_error([](Batching& b) { b.max_batch_size = (1 << 20) + 1; }), "");
  EXPECT_EQ(batching_error([](Batching& b) { b.max_queue_delay_ns = -1; }),
            "max_queue_delay in nanoseconds: got -1, want 0 to 3600000000000");
  EXPECT_NE(batching_error([](Batching& b) { b.max_queue_delay_ns = 3'600'000'000'001; }), "");
  EXPECT_EQ(batching_error([](Batching& b) { b.max_queue_size = -3; }),
            "max_queue_size: got -3, want 1 to 16777216");
  EXPECT_EQ(batching_error([](Batching& b) { b.max_queue_bytes = 0; }),
            "max_queue_bytes: got 0, want 1 to 70368744177664");
  EXPECT_EQ(batching_error([](Batching& b) { b.max_queue_bytes = 1; }), "");
  EXPECT_EQ(batching_error([](Batching& b) { b.default_timeout_ns = 0; }),
            "default_timeout: got 0 ns, want more than 0, or none");
  EXPECT_EQ(batching_error([](Batching& b) { b.default_timeout_ns = 1; }), "");
}

TEST(BatchingTest, PreferredSizesAscendUpToTheLargestBatch) {
  const auto of = [](const std::vector<int64_t>& sizes) {
    return batching_error([&](Batching& b) {
      b.max_batch_size = 16;
      b.preferred_batch_sizes = sizes;
    });
  };
  EXPECT_EQ(of({4, 8, 16}), "");
  EXPECT_EQ(of({8, 4}), "preferred_batch_sizes: got 4 after 8, want ascending numbers");
  EXPECT_EQ(of({8, 8}), "preferred_batch_sizes: got 8 after 8, want ascending numbers");
  EXPECT_EQ(of({4, 17}), "preferred_batch_sizes: got 17, want 1 to 16");
  EXPECT_EQ(of({0}), "preferred_batch_sizes: got 0, want 1 to 16");
}

TEST(BatchingTest, TheDefaultLevelIsOneOfTheLevels) {
  const auto of = [](int64_t levels, int64_t level) {
    return batching_error([&](Batching& b) {
      b.priority_levels = levels;
      b.default_priority_level = level;
    });
  };
  EXPECT_EQ(of(64, 64), "");
  EXPECT_EQ(of(3, 0), "");
  EXPECT_EQ(of(65, 0), "priority_levels: got 65, want 0 to 64");
  EXPECT_EQ(of(-1, 0), "priority_levels: got -1, want 0 to 64");
  EXPECT_EQ(of(3, 4), "default_priority_level: got 4, want 0 to 3");
  EXPECT_EQ(of(0, 1), "default_priority_level: got 1, want 0 to 0");
  EXPECT_EQ(of(3, -1), "default_priority_level: got -1, want 0 to 3");
}

TEST(BatchingTest, PoliciesAreForLevelsThatExist) {
  const auto of = [](int64_t levels, int64_t level) {
    return batching_error([&](Batching& b) {
      b.priority_levels = levels;
      b.priority_queue_policy[level] = {};
    });
  };
  EXPECT_EQ(of(3, 3), "");
  EXPECT_EQ(of(0, 1), "");  // there is one
  EXPECT_EQ(of(3, 4), "priority_queue_policy: level: got 4, want 1 to 3");
  EXPECT_EQ(of(3, 0), "priority_queue_policy: level: got 0, want 1 to 3");
  EXPECT_EQ(of(0, 2), "priority_queue_policy: level: got 2, want 1 to 1");
}

TEST(BatchingTest, PoliciesSayWhichOfThemIsWrong) {
  EXPECT_EQ(batching_error([](Batching& b) { b.default_queue_policy.max_queue_size = 0; }),
            "default_queue_policy.max_queue_size: got 0, want 1 to 16777216");
  EXPECT_EQ(batching_error([](Batching& b) { b.default_queue_policy.timeout_ns = 0; }),
            "default_queue_policy.timeout: got 0 ns, want more than 0, or none");
  const auto second = [](const QueuePolicy& policy) {
    return batching_error([&](Batching& b) {
      b.priority_levels = 2;
      b.priority_queue_policy[2] = policy;
    });
  };
  EXPECT_EQ(second({.max_queue_size = -1, .timeout_ns = {}}),
            "priority_queue_policy[2].max_queue_size: got -1, want 1 to 16777216");
  EXPECT_EQ(second({.max_queue_size = {}, .timeout_ns = -5}),
            "priority_queue_policy[2].timeout: got -5 ns, want more than 0, or none");
}

TEST(BatchingTest, PaddingHasAnAxisBehindTheRowsAndAscendingBuckets) {
  const auto of = [](const Padding& padding) {
    return batching_error([&](Batching& b) { b.padding = padding; });
  };
  static_assert(Shape::kMaxRank == 8);
  EXPECT_EQ(of({}), "");
  EXPECT_EQ(of({.axis = 7, .buckets = {16, 32}}), "");
  EXPECT_EQ(of({.axis = 0, .buckets = {}}), "padding.axis: got 0, want 1 to 7");
  EXPECT_EQ(of({.axis = 8, .buckets = {}}), "padding.axis: got 8, want 1 to 7");
  EXPECT_EQ(of({.buckets = {16, 16}}), "padding.buckets: got 16 after 16, want ascending numbers");
  EXPECT_EQ(of({.buckets = {0}}), "padding.buckets: got 0, want 1 to 1099511627776");
}

TEST(BatchingTest, WhoIsNeverMergedWaitsForNoCompany) {
  const auto unmerged = [](const std::function<void(Batching&)>& change) {
    return batching_error([&](Batching& b) {
      b.merge_requests = false;
      change(b);
    });
  };
  EXPECT_EQ(unmerged([](Batching&) {}), "");
  EXPECT_EQ(unmerged([](Batching& b) { b.max_queue_delay_ns = 5; }),
            "max_queue_delay: got 5 ns, want 0 with merge_requests off: no request has company");
  EXPECT_EQ(unmerged([](Batching& b) { b.preferred_batch_sizes = {4, 8}; }),
            "preferred_batch_sizes: got 4, want none with merge_requests off: no request has "
            "company");
  EXPECT_EQ(unmerged([](Batching& b) { b.padding = Padding{.buckets = {}}; }),
            "padding: got one, want none with merge_requests off: no request has company");
}

TEST(BatchingTest, ALevelWithoutAPolicyHasTheDefault) {
  Batching batching;
  batching.priority_levels = 2;
  batching.default_queue_policy.timeout_ns = 7;
  batching.priority_queue_policy[2].timeout_ns = 8;
  EXPECT_EQ(batching.policy_of(1).timeout_ns, 7);
  EXPECT_EQ(batching.policy_of(2).timeout_ns, 8);
}

class MergeRequestsTest : public SchedulerTest {};

TEST_F(MergeRequestsTest, UnmergedEveryRequestIsABatchInTheQueuesOrder) {
  Batching batching = levels(2, waiting_for(10, TimeoutAction::kDelay));
  batching.merge_requests = false;
  set_up(batching);
  EXPECT_EQ(scheduler_->decide_lone(8).reason, ReleaseReason::kIdle);
  const auto late = accept({.level = 1}, 2);
  now_ += 10;
  EXPECT_TRUE(due().empty());
  const auto low = accept({.level = 2}, 8);
  const auto other = accept({.level = 1}, 1, 1);
  const auto given_up = accept({.level = 1, .timeout_ns = 5}, 3);
  now_ += 5;
  EXPECT_EQ(due(), (Requests{given_up}));
  for (const auto& request : {other, low, late}) {
    const Scheduler::Next batch = next();
    EXPECT_EQ(batch.requests, (Requests{request}));
    EXPECT_EQ(batch.reason, ReleaseReason::kIdle);
  }
  EXPECT_TRUE(scheduler_->empty());
}

TEST_F(MergeRequestsTest, MergingMayBeTurnedOffAndOn) {
  set_up(batching_of());
  const auto one = accept();
  const auto two = accept();
  const auto three = accept();
  scheduler_->reconfigure(batching_of([](Batching& b) { b.merge_requests = false; }));
  EXPECT_EQ(next().requests, (Requests{one}));
  scheduler_->reconfigure(batching_of());
  EXPECT_EQ(next().requests, (Requests{two, three}));
}

}  // namespace
}  // namespace inferometer
