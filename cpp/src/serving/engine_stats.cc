#include "serving/engine_stats.h"

#include <limits>
#include <numeric>

#include "serving/engine_core.h"
#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

EngineStats::Distribution summary(const RecordedTotals::Distribution& from,
                                  std::span<const int64_t> bounds, double unit) {
  EngineStats::Distribution summary;
  summary.count = std::accumulate(from.buckets.begin(), from.buckets.end(), uint64_t{0});
  summary.mean = summary.count == 0
                     ? std::numeric_limits<double>::quiet_NaN()
                     : unit * static_cast<double>(from.sum) / static_cast<double>(summary.count);
  summary.p50 = unit * bucket_quantile(bounds, from.buckets, 0.50);
  summary.p95 = unit * bucket_quantile(bounds, from.buckets, 0.95);
  summary.p99 = unit * bucket_quantile(bounds, from.buckets, 0.99);
  return summary;
}

}  // namespace

double bucket_quantile(std::span<const int64_t> bounds, std::span<const uint64_t> buckets,
                       double q) noexcept {
  const uint64_t total = std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  const double rank = q * static_cast<double>(total);
  double below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(buckets[i]);
    if (here > 0 && below + here >= rank) {
      const double low = i == 0 ? 0.0 : static_cast<double>(bounds[i - 1]);
      const double high = static_cast<double>(bounds[i]);
      return low + (high - low) * (rank - below) / here;
    }
    below += here;
  }
  return static_cast<double>(bounds.back());
}

void fill_recorded(EngineStats& stats, const RecordedTotals& totals) {
  stats.recording = true;
  stats.requests = totals.requests;
  stats.batches = totals.batches;
  stats.latency = summary(totals.latency, kLatencyBounds, 1e-9);
  stats.queue = summary(totals.queue, kLatencyBounds, 1e-9);
  stats.compute = summary(totals.compute, kLatencyBounds, 1e-9);
  stats.batch_size = summary(totals.batch_size, kBatchSizeBounds, 1.0);
  stats.busy_seconds = 1e-9 * static_cast<double>(totals.busy_ns);
  stats.wasted_seconds = 1e-9 * static_cast<double>(totals.wasted_ns);
  stats.telemetry_seconds = 1e-9 * static_cast<double>(totals.telemetry_ns);
}

EngineStats EngineCore::stats() const {
  refuse_in_child();
  EngineStats stats;
  if (recorder_) fill_recorded(stats, recorder_->totals());
  stats.queue_depth = queue_depth_.load(std::memory_order_relaxed);
  stats.in_flight = in_flight_.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace inferometer
