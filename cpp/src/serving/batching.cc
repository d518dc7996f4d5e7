#include "inferometer/batching.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "inferometer/shape.h"

namespace inferometer {
namespace {

constexpr int64_t kMaxRows = 1 << 20;
constexpr int64_t kMaxRequests = 1 << 24;
constexpr int64_t kMaxBytes = int64_t{1} << 46;
constexpr int64_t kMaxDelayNs = 3600 * kNanosPerSecond;
constexpr int64_t kMaxLevels = 64;

void check_range(const std::string& field, int64_t got, int64_t low, int64_t high) {
  if (got >= low && got <= high) return;
  throw ConfigError(field + ": got " + std::to_string(got) + ", want " + std::to_string(low) +
                    " to " + std::to_string(high));
}

void check_time(const std::string& field, const std::optional<int64_t>& ns) {
  if (!ns || *ns > 0) return;
  throw ConfigError(field + ": got " + std::to_string(*ns) + " ns, want more than 0, or none");
}

void check_policy(const std::string& field, const QueuePolicy& policy) {
  if (policy.max_queue_size) {
    check_range(field + ".max_queue_size", *policy.max_queue_size, 1, kMaxRequests);
  }
  check_time(field + ".timeout", policy.timeout_ns);
}

void check_ascending(const std::string& field, const std::vector<int64_t>& numbers, int64_t high) {
  int64_t previous = 0;
  for (const int64_t number : numbers) {
    check_range(field, number, 1, high);
    if (number <= previous) {
      throw ConfigError(field + ": got " + std::to_string(number) + " after " +
                        std::to_string(previous) + ", want ascending numbers");
    }
    previous = number;
  }
}

void check_padding(const Padding& padding) {
  check_range("padding.axis", padding.axis, 1, static_cast<int64_t>(Shape::kMaxRank) - 1);
  check_ascending("padding.buckets", padding.buckets, int64_t{1} << 40);
}

// Options about company that would have no effect.
void check_unmerged(const Batching& batching) {
  const auto refuse = [](const std::string& got, const std::string& want) {
    throw ConfigError(got + ", want " + want + " with merge_requests off: no request has company");
  };
  if (batching.max_queue_delay_ns != 0) {
    refuse("max_queue_delay: got " + std::to_string(batching.max_queue_delay_ns) + " ns", "0");
  }
  if (!batching.preferred_batch_sizes.empty()) {
    refuse("preferred_batch_sizes: got " + std::to_string(batching.preferred_batch_sizes.front()),
           "none");
  }
  if (batching.padding) refuse("padding: got one", "none");
}

}  // namespace

void Batching::check() const {
  check_range("max_batch_size", max_batch_size, 1, kMaxRows);
  check_range("max_queue_delay in nanoseconds", max_queue_delay_ns, 0, kMaxDelayNs);
  check_ascending("preferred_batch_sizes", preferred_batch_sizes, max_batch_size);
  check_range("max_queue_size", max_queue_size, 1, kMaxRequests);
  if (max_queue_bytes) check_range("max_queue_bytes", *max_queue_bytes, 1, kMaxBytes);
  check_time("default_timeout", default_timeout_ns);
  check_range("priority_levels", priority_levels, 0, kMaxLevels);
  check_range("default_priority_level", default_priority_level, 0, priority_levels);
  check_policy("default_queue_policy", default_queue_policy);
  for (const auto& [level, policy] : priority_queue_policy) {
    check_range("priority_queue_policy: level", level, 1, std::max<int64_t>(priority_levels, 1));
    check_policy("priority_queue_policy[" + std::to_string(level) + "]", policy);
  }
  if (padding) check_padding(*padding);
  if (!merge_requests) check_unmerged(*this);
}

const QueuePolicy& Batching::policy_of(int64_t level) const {
  const auto own = priority_queue_policy.find(level);
  return own == priority_queue_policy.end() ? default_queue_policy : own->second;
}

}  // namespace inferometer
