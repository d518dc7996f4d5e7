// The one table of the metrics that the library itself emits. A new metric is one enumerator, one
// entry in catalogue.cc, one record call and one golden line.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "telemetry/metric_type.h"

namespace inferometer {

enum class Metric : uint8_t {
  kRequests,
  kLatency,
  kQueue,
  kCompute,
  kBatchSize,
  kBatches,
  kQueueDepth,
  kQueueLimit,
  kInFlight,
  kOldestRequest,
  kLatencyObjective,
  kWithinObjective,
  kBusy,
  kWasted,
  kPaddingElements,
  kElements,
  kTelemetry,
  kModelMemory,
  kDeviceErrors,
  kTritonSuccess,
  kTritonFailure,
  kTritonInferences,
  kTritonExecutions,
  kTritonRequestTime,
  kTritonQueueTime,
  kTritonInputTime,
  kTritonInferTime,
  kTritonOutputTime,
  kTritonPending,
  kTritonLoadTime,
  kTritonLatency,
  kDroppedSeries,
  kCollectorErrors,
  kPythonCollectorsStale,
  kBuildInfo,
  kGpuMemoryUsed,
  kGpuMemoryTotal,
  kGpuUtilization,
  kGpuClock,
  kGpuTemperature,
  kNvGpuUtilization,
  kNvGpuMemoryTotal,
  kNvGpuMemoryUsed,
  kNvGpuPowerUsage,
  kNvGpuPowerLimit,
  kNvEnergyConsumption,
  kNvCpuUtilization,
  kNvCpuMemoryTotal,
  kNvCpuMemoryUsed,
  kProcessCpu,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessVirtualMemory,
  kProcessResidentMemory,
  kProcessStartTime,
};
inline constexpr size_t kMetricCount = 55;

/// How the parts of one series (base, stripes, readers) become one value.
enum class Combine : uint8_t { kSum, kMax };

struct MetricInfo {
  Metric metric;
  MetricType type;
  Unit unit;
  Combine combine;
  std::string_view name;  ///< As exposed: counters end in _total.
  std::string_view help;
  std::span<const std::string_view> labels;
  std::span<const int64_t> bounds;  ///< Histograms: upper bounds (inclusive) in raw units.
  std::string_view when;            ///< When it counts or what it holds, for docs/metrics.md.
};

/// All metrics, in exposition order; entry i describes Metric(i).
[[nodiscard]] std::span<const MetricInfo, kMetricCount> catalogue() noexcept;
[[nodiscard]] const MetricInfo& metric_info(Metric metric) noexcept;

/// Words of one stripe of a series with that many bounds: 1 for a counter or gauge; for a histogram
/// one per bucket
/// (+Inf last), then the sum.
[[nodiscard]] constexpr size_t words_for_bounds(size_t bounds) noexcept {
  return bounds == 0 ? 1 : bounds + 2;
}
[[nodiscard]] size_t stripe_words(Metric metric) noexcept;

/// Bounds of all latency histograms, raw nanoseconds: 25 µs to 60 s.
inline constexpr std::array<int64_t, 21> kLatencyBounds = {
    25'000,         50'000,         100'000,       250'000,       500'000,       1'000'000,
    2'500'000,      5'000'000,      10'000'000,    25'000'000,    50'000'000,    100'000'000,
    250'000'000,    500'000'000,    1'000'000'000, 2'000'000'000, 2'500'000'000, 5'000'000'000,
    10'000'000'000, 30'000'000'000, 60'000'000'000};
/// Bounds of inference_batch_size, rows.
inline constexpr std::array<int64_t, 11> kBatchSizeBounds = {1,  2,   4,   8,   16,  32,
                                                             64, 128, 256, 512, 1024};

/// The closed sets of label values.
inline constexpr std::array<std::string_view, 7> kStatusNames = {
    "success", "failure", "rejected", "timeout", "cancelled", "shutdown", "invalid"};
inline constexpr std::array<std::string_view, 3> kDeviceErrorNames = {"out_of_memory", "lost",
                                                                      "other"};
inline constexpr std::array<std::string_view, 6> kReasonNames = {"full", "preferred", "delay",
                                                                 "idle", "shape",     "drain"};
inline constexpr std::array<std::string_view, 3> kMemoryKindNames = {"weights", "activations",
                                                                     "queue"};
/// Triton's reasons of failure, in the order in which Triton prints them.
inline constexpr std::array<std::string_view, 4> kTritonReasonNames = {"OTHER", "BACKEND",
                                                                       "CANCELED", "REJECTED"};
inline constexpr std::array<std::string_view, 2> kClockNames = {"sm", "memory"};

}  // namespace inferometer
