// An hour: what certainly does not pass while a test runs.
#pragma once

#include <cstdint>

#include "inferometer/clock.h"

namespace inferometer {

inline constexpr int64_t kHour = 3600 * kNanosPerSecond;

}  // namespace inferometer
