#include "inferometer/delay_model.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

// A sleep ends up to 50 us late because Linux gathers timers (the default timer slack), and then
// the thread has to be woken: 80 us late on the median where this was measured. So a sleep ends
// this much early, and what remains (20 us mostly) is spun away: the cost is met to within 1 us. A
// cost below it is all spun, since no sleep is that short.
constexpr int64_t kWakeEarlyNs = 100'000;

double checked_seconds(const char* name, double seconds) {
  if (std::isfinite(seconds) && seconds >= 0) return seconds;
  throw ConfigError(std::string(name) + ": got " + std::to_string(seconds) +
                    ", want a finite number of seconds, 0 or more");
}

std::vector<TensorSpec> checked_specs(std::vector<TensorSpec> specs) {
  for (const TensorSpec& spec : specs) {
    if (spec.shape.rank() > 0 && (spec.shape[0] == Shape::kFree || spec.shape[0] == 1)) continue;
    throw ConfigError("input '" + spec.name + "': got shape " + spec.shape.to_string() +
                      ", want rows first: (-1, ...) or (1, ...)");
  }
  return specs;
}

// `deadline_ns` is on steady_clock(), which is CLOCK_MONOTONIC.
void wait_until(int64_t deadline_ns) {
  const int64_t wake_ns = deadline_ns - kWakeEarlyNs;
  if (wake_ns > steady_clock().now_ns()) {
    const timespec wake{wake_ns / kNanosPerSecond, wake_ns % kNanosPerSecond};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr) == EINTR) {
    }
  }
  while (steady_clock().now_ns() < deadline_ns) {
  }
}

}  // namespace

DelayModel::DelayModel(double seconds, double seconds_per_row, std::vector<TensorSpec> inputs)
    : seconds_(checked_seconds("seconds", seconds)),
      seconds_per_row_(checked_seconds("seconds_per_row", seconds_per_row)),
      inputs_(checked_specs(std::move(inputs))) {}

int64_t DelayModel::cost_ns(int64_t rows) const noexcept {
  return seconds_to_ns(seconds_ + seconds_per_row_ * static_cast<double>(rows));
}

int64_t DelayModel::max_rows() const noexcept {
  const auto fixed = [](const TensorSpec& spec) { return spec.shape[0] == 1; };
  return std::ranges::any_of(inputs_, fixed) ? 1 : 0;
}

void DelayModel::run(Batch& batch) {
  const int64_t begin = steady_clock().now_ns();
  const int64_t cost = cost_ns(batch.rows());
  const auto inputs = batch.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const MutableTensorView out = batch.allocate_output(i, inputs[i].dtype, inputs[i].shape);
    if (out.bytes() > 0) std::memcpy(out.data, inputs[i].data, out.bytes());
  }
  if (inputs.empty()) {
    for (size_t i = 0; i < batch.requests(); ++i) batch.set_result_object(i, batch.object(i));
  }
  wait_until(cost > INT64_MAX - begin ? INT64_MAX : begin + cost);
}

}  // namespace inferometer
