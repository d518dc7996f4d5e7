#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

using Labels = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> kModel = {"model_name"};
constexpr std::array<std::string_view, 2> kModelStatus = {"model_name", "status"};
constexpr std::array<std::string_view, 2> kModelReason = {"model_name", "reason"};
constexpr std::array<std::string_view, 2> kModelInstance = {"model_name", "model_instance"};
constexpr std::array<std::string_view, 2> kModelKind = {"model_name", "kind"};
constexpr std::array<std::string_view, 1> kVersion = {"version"};
constexpr std::array<std::string_view, 1> kDevice = {"device_id"};
constexpr std::array<std::string_view, 2> kDeviceClock = {"device_id", "clock"};
constexpr std::array<std::string_view, 1> kGpuUuid = {"gpu_uuid"};

constexpr MetricInfo counter(Metric metric, Unit unit, std::string_view name, Labels labels,
                             std::string_view help) {
  return {metric, MetricType::kCounter, unit, Combine::kSum, name, help, labels, {}};
}

constexpr MetricInfo gauge(Metric metric, Unit unit, std::string_view name, Labels labels,
                           std::string_view help) {
  return {metric, MetricType::kGauge, unit, Combine::kSum, name, help, labels, {}};
}

constexpr MetricInfo largest(MetricInfo info) {
  info.combine = Combine::kMax;
  return info;
}

constexpr MetricInfo histogram(Metric metric, Unit unit, std::span<const int64_t> bounds,
                               std::string_view name, std::string_view help) {
  return {metric, MetricType::kHistogram, unit, Combine::kSum, name, help, kModel, bounds};
}

constexpr std::array<MetricInfo, kMetricCount> kCatalogue = {
    counter(Metric::kRequests, Unit::kOne, "inference_requests_total", kModelStatus,
            "Requests that ended, by outcome."),
    histogram(Metric::kLatency, Unit::kNanoseconds, kLatencyBounds, "inference_latency_seconds",
              "Seconds from submission to completion of each accepted request, whatever its "
              "outcome."),
    histogram(Metric::kQueue, Unit::kNanoseconds, kLatencyBounds, "inference_queue_seconds",
              "Seconds from submission of each request to the start of its batch."),
    histogram(Metric::kCompute, Unit::kNanoseconds, kLatencyBounds, "inference_compute_seconds",
              "Seconds of model execution of each batch."),
    histogram(Metric::kBatchSize, Unit::kOne, kBatchSizeBounds, "inference_batch_size",
              "Rows of each executed batch."),
    counter(Metric::kBatches, Unit::kOne, "inference_batches_total", kModelReason,
            "Executed batches, by the reason of their release."),
    gauge(Metric::kQueueDepth, Unit::kOne, "inference_queue_depth", kModel,
          "Requests that wait now."),
    gauge(Metric::kQueueLimit, Unit::kOne, "inference_queue_limit", kModel,
          "Requests that may wait at most, as configured."),
    gauge(Metric::kInFlight, Unit::kOne, "inference_in_flight", kModel,
          "Requests that execute now."),
    largest(gauge(Metric::kOldestRequest, Unit::kNanoseconds, "inference_oldest_request_seconds",
                  kModel, "Age in seconds of the oldest request that waits, 0 if none does.")),
    largest(gauge(Metric::kLatencyObjective, Unit::kNanoseconds,
                  "inference_latency_objective_seconds", kModel,
                  "Latency objective in seconds, as configured.")),
    counter(Metric::kWithinObjective, Unit::kOne, "inference_requests_within_objective_total",
            kModel, "Successful requests that met the latency objective."),
    counter(Metric::kBusy, Unit::kNanoseconds, "inference_busy_seconds_total", kModelInstance,
            "Seconds that a model instance spent executing."),
    counter(Metric::kWasted, Unit::kNanoseconds, "inference_wasted_seconds_total", kModel,
            "Seconds of execution spent on requests that were already gone (their share of the "
            "batch)."),
    counter(Metric::kTelemetry, Unit::kNanoseconds, "inferometer_telemetry_seconds_total", kModel,
            "Seconds spent recording metrics (sampled)."),
    gauge(Metric::kModelMemory, Unit::kOne, "inferometer_model_memory_bytes", kModelKind,
          "Bytes held for a model, by kind."),
    counter(Metric::kDroppedSeries, Unit::kOne, "inferometer_dropped_series_total", {},
            "Series that were refused for lack of room or left out of an exposition because they "
            "clash."),
    counter(Metric::kCollectorErrors, Unit::kOne, "inferometer_collector_errors_total", {},
            "Failures of foreign collectors while metrics were read."),
    gauge(Metric::kBuildInfo, Unit::kOne, "inferometer_build_info", kVersion,
          "Always 1; the label names the version of inferometer."),
    // Of the machine and the process; Triton's and prometheus_client's names and sense.
    gauge(Metric::kGpuMemoryUsed, Unit::kOne, "gpu_memory_used_bytes", kDevice,
          "GPU memory in use by all processes, in bytes."),
    gauge(Metric::kGpuMemoryTotal, Unit::kOne, "gpu_memory_total_bytes", kDevice,
          "GPU memory in total, in bytes."),
    gauge(Metric::kGpuUtilization, Unit::kFloat, "gpu_utilization_ratio", kDevice,
          "Share of the time in which the GPU was busy, 0 to 1."),
    gauge(Metric::kGpuClock, Unit::kOne, "gpu_clock_hertz", kDeviceClock,
          "Present clock of the GPU, by what it drives."),
    gauge(Metric::kGpuTemperature, Unit::kOne, "gpu_temperature_celsius", kDevice,
          "Temperature of the GPU's die in degrees Celsius."),
    gauge(Metric::kNvGpuUtilization, Unit::kPlainFloat, "nv_gpu_utilization", kGpuUuid,
          "GPU utilization rate, 0.0 to 1.0."),
    gauge(Metric::kNvGpuMemoryTotal, Unit::kOne, "nv_gpu_memory_total_bytes", kGpuUuid,
          "GPU total memory, in bytes."),
    gauge(Metric::kNvGpuMemoryUsed, Unit::kOne, "nv_gpu_memory_used_bytes", kGpuUuid,
          "GPU used memory, in bytes."),
    gauge(Metric::kNvGpuPowerUsage, Unit::kPlainFloat, "nv_gpu_power_usage", kGpuUuid,
          "GPU power usage in watts."),
    gauge(Metric::kNvGpuPowerLimit, Unit::kPlainFloat, "nv_gpu_power_limit", kGpuUuid,
          "GPU power management limit in watts."),
    counter(Metric::kNvEnergyConsumption, Unit::kPlainFloat, "nv_energy_consumption", kGpuUuid,
            "GPU energy consumption in joules since this process began to watch the GPU."),
    gauge(Metric::kNvCpuUtilization, Unit::kPlainFloat, "nv_cpu_utilization", {},
          "CPU utilization rate of the machine, 0.0 to 1.0."),
    gauge(Metric::kNvCpuMemoryTotal, Unit::kOne, "nv_cpu_memory_total_bytes", {},
          "CPU total memory (RAM), in bytes."),
    gauge(Metric::kNvCpuMemoryUsed, Unit::kOne, "nv_cpu_memory_used_bytes", {},
          "CPU used memory (RAM), in bytes."),
    counter(Metric::kProcessCpu, Unit::kFloat, "process_cpu_seconds_total", {},
            "Total user and system CPU time spent in seconds."),
    gauge(Metric::kProcessOpenFds, Unit::kOne, "process_open_fds", {},
          "Number of open file descriptors."),
    gauge(Metric::kProcessMaxFds, Unit::kOne, "process_max_fds", {},
          "Maximum number of open file descriptors."),
    gauge(Metric::kProcessVirtualMemory, Unit::kOne, "process_virtual_memory_bytes", {},
          "Virtual memory size in bytes."),
    gauge(Metric::kProcessResidentMemory, Unit::kOne, "process_resident_memory_bytes", {},
          "Resident memory size in bytes."),
    gauge(Metric::kProcessStartTime, Unit::kFloat, "process_start_time_seconds", {},
          "Start time of the process since the Unix epoch in seconds."),
};

constexpr bool in_order() {
  for (size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<size_t>(kCatalogue[i].metric) != i) return false;
  }
  return true;
}
static_assert(in_order(), "entry i of the catalogue must describe Metric(i)");

}  // namespace

std::span<const MetricInfo, kMetricCount> catalogue() noexcept { return kCatalogue; }

const MetricInfo& metric_info(Metric metric) noexcept {
  return kCatalogue[static_cast<size_t>(metric)];
}

size_t stripe_words(Metric metric) noexcept {
  return words_for_bounds(metric_info(metric).bounds.size());
}

}  // namespace inferometer
