// The words that one writer of a recorder's keeps: a shard, laid out for the hot path.
#pragma once

#include <cstddef>

#include "inferometer/request.h"
#include "telemetry/catalogue.h"

namespace inferometer {

/// Where a shard keeps what. What every request writes comes first, so that it shares cache lines;
/// a shard is whole cache lines. Each count has one place: several series may be views on it (see
/// recorder_series.h).
struct ShardCells {
  static constexpr size_t kHistogramWords = words_for_bounds(kLatencyBounds.size());

  static constexpr size_t kStatus = 0;  // by Outcome
  static constexpr size_t kWithin = kStatus + kOutcomes;
  // Whole microseconds of requests that succeeded, each rounded down: no sum of nanoseconds gives
  // that.
  static constexpr size_t kRequestUs = kWithin + 1;
  static constexpr size_t kQueueUs = kRequestUs + 1;
  static constexpr size_t kLatency = kQueueUs + 1;
  static constexpr size_t kQueue = kLatency + kHistogramWords;
  // By batch.
  static constexpr size_t kCompute = kQueue + kHistogramWords;
  static constexpr size_t kBatchSize = kCompute + kHistogramWords;
  static constexpr size_t kReason = kBatchSize + words_for_bounds(kBatchSizeBounds.size());
  static constexpr size_t kRandom = kReason + kReleaseReasons;  // no count: see own_time.h
  static constexpr size_t kBusy = kRandom + 1;
  static constexpr size_t kInferences = kBusy + 1;
  static constexpr size_t kInputUs = kInferences + 1;  // the batch's, for each of its successes
  static constexpr size_t kInferUs = kInputUs + 1;
  static constexpr size_t kOutputUs = kInferUs + 1;
  static constexpr size_t kPadding = kOutputUs + 1;
  static constexpr size_t kElements = kPadding + 1;
  static constexpr size_t kWasted = kElements + 1;
  static constexpr size_t kTelemetry = kWasted + 1;
  static constexpr size_t kDeviceErrors = kTelemetry + 1;  // by kind
  static constexpr size_t kWords = (kDeviceErrors + kDeviceErrorNames.size() + 7) / 8 * 8;

  /// Requests that end outside a batch are written by whoever ends them, to one of these.
  static constexpr size_t kCallerShards = 4;
  /// Those of all writers: the instances' first, then the callers'.
  static constexpr size_t shards(size_t instances) noexcept { return instances + kCallerShards; }
  /// Which of them a thread that is no instance's writer takes; threads are counted.
  static constexpr size_t caller_shard(size_t instances, size_t thread) noexcept {
    return instances + thread % kCallerShards;
  }
  static constexpr size_t words(size_t instances) noexcept { return shards(instances) * kWords; }
};

}  // namespace inferometer
