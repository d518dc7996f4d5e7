#include "inferometer/batching.h"

#include <string>

#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr int64_t kMaxRows = 1 << 20;
constexpr int64_t kMaxRequests = 1 << 24;
constexpr int64_t kMaxDelayNs = 3600 * kNanosPerSecond;

void check_range(const char* field, int64_t got, int64_t low, int64_t high) {
  if (got >= low && got <= high) return;
  throw ConfigError(std::string(field) + ": got " + std::to_string(got) + ", want " +
                    std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace

void Batching::check() const {
  check_range("max_batch_size", max_batch_size, 1, kMaxRows);
  check_range("max_queue_size", max_queue_size, 1, kMaxRequests);
  check_range("max_queue_delay in nanoseconds", max_queue_delay_ns, 0, kMaxDelayNs);
  if (default_timeout_ns && *default_timeout_ns <= 0) {
    throw ConfigError("default_timeout: got " + std::to_string(*default_timeout_ns) +
                      " ns, want more than 0, or none");
  }
}

}  // namespace inferometer
