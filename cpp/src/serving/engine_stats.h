// From an engine's recorded totals to what people read.
#pragma once

#include <cstdint>
#include <span>

#include "inferometer/engine.h"
#include "serving/recorder.h"

namespace inferometer {

/// The quantile `q` (0 to 1) of a distribution in buckets (not cumulative, +Inf last), interpolated
/// linearly within the bucket as Prometheus' histogram_quantile does; the highest bound for what
/// lies beyond it, NaN if nothing was observed. In the raw units of `bounds`.
[[nodiscard]] double bucket_quantile(std::span<const int64_t> bounds,
                                     std::span<const uint64_t> buckets, double q) noexcept;

/// Fills everything of `stats` that comes from recorded totals.
void fill_recorded(EngineStats& stats, const RecordedTotals& totals);

}  // namespace inferometer
