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
// Triton's own names, in the order in which Triton prints them: alphabetical.
constexpr std::array<std::string_view, 2> kTriton = {"model", "version"};
constexpr std::array<std::string_view, 3> kTritonReason = {"model", "reason", "version"};
constexpr std::array<std::string_view, 1> kDevice = {"device_id"};
constexpr std::array<std::string_view, 2> kDeviceClock = {"device_id", "clock"};
constexpr std::array<std::string_view, 1> kGpuUuid = {"gpu_uuid"};

constexpr MetricInfo counter(Metric metric, Unit unit, std::string_view name, Labels labels,
                             std::string_view help, std::string_view when = {}) {
  return {metric, MetricType::kCounter, unit, Combine::kSum, name, help, labels, {}, when};
}

constexpr MetricInfo gauge(Metric metric, Unit unit, std::string_view name, Labels labels,
                           std::string_view help, std::string_view when = {}) {
  return {metric, MetricType::kGauge, unit, Combine::kSum, name, help, labels, {}, when};
}

constexpr MetricInfo largest(MetricInfo info) {
  info.combine = Combine::kMax;
  return info;
}

constexpr MetricInfo histogram(Metric metric, Unit unit, std::span<const int64_t> bounds,
                               std::string_view name, Labels labels, std::string_view help,
                               std::string_view when) {
  return {metric, MetricType::kHistogram, unit, Combine::kSum, name, help, labels, bounds, when};
}

constexpr std::string_view kPerSuccess =
    "For each request that succeeds, in whole microseconds, rounded down.";

constexpr std::string_view kRead = "Read at the scrape, at most every 2 s.";
constexpr std::string_view kSampled =
    "Read from NVML at the scrape, at most every 2 s; absent where there is no GPU or it does not "
    "tell.";

constexpr std::array<MetricInfo, kMetricCount> kCatalogue = {
    counter(Metric::kRequests, Unit::kOne, "inference_requests_total", kModelStatus,
            "Requests that ended, by outcome.",
            "Once for each request: `success`; `failure`, the model raised; `rejected`, refused at "
            "the door; `timeout`, its deadline passed; `cancelled`, by its caller; `shutdown`, the "
            "engine was closed; `invalid`, wrong shape, dtype, name or argument, or no memory for "
            "it. Requests that come after the engine was closed are not counted."),
    histogram(Metric::kLatency, Unit::kNanoseconds, kLatencyBounds, "inference_latency_seconds",
              kModel,
              "Seconds from submission to completion of each accepted request, whatever its "
              "outcome.",
              "Once for each accepted request, when it ends (not for `rejected` and `invalid`)."),
    histogram(Metric::kQueue, Unit::kNanoseconds, kLatencyBounds, "inference_queue_seconds", kModel,
              "Seconds from submission of each request to the start of its batch.",
              "Once for each request whose batch started, when the request ends."),
    histogram(Metric::kCompute, Unit::kNanoseconds, kLatencyBounds, "inference_compute_seconds",
              kModel, "Seconds of model execution of each batch.",
              "Once for each executed batch, also one that failed."),
    histogram(Metric::kBatchSize, Unit::kOne, kBatchSizeBounds, "inference_batch_size", kModel,
              "Rows of each executed batch.", "Once for each executed batch."),
    counter(Metric::kBatches, Unit::kOne, "inference_batches_total", kModelReason,
            "Executed batches, by the reason of their release.", "Once for each executed batch."),
    gauge(Metric::kQueueDepth, Unit::kOne, "inference_queue_depth", kModel,
          "Requests that wait now.", "Read at the scrape."),
    gauge(Metric::kQueueLimit, Unit::kOne, "inference_queue_limit", kModel,
          "Requests that may wait at most, as configured.",
          "Read at the scrape: it may be reconfigured."),
    gauge(Metric::kInFlight, Unit::kOne, "inference_in_flight", kModel,
          "Requests that execute now.", "Read at the scrape."),
    largest(gauge(Metric::kOldestRequest, Unit::kNanoseconds, "inference_oldest_request_seconds",
                  kModel, "Age in seconds of the oldest request that waits, 0 if none does.",
                  "Computed at the scrape; of several versions the largest.")),
    largest(gauge(Metric::kLatencyObjective, Unit::kNanoseconds,
                  "inference_latency_objective_seconds", kModel,
                  "Latency objective in seconds, as configured.",
                  "Constant; absent without an objective; of several versions the largest.")),
    counter(Metric::kWithinObjective, Unit::kOne, "inference_requests_within_objective_total",
            kModel, "Successful requests that met the latency objective.",
            "For each request that succeeds within the objective; absent without one."),
    counter(Metric::kBusy, Unit::kNanoseconds, "inference_busy_seconds_total", kModelInstance,
            "Seconds that a model instance spent executing.",
            "For each executed batch; instances are counted from 0."),
    counter(Metric::kWasted, Unit::kNanoseconds, "inference_wasted_seconds_total", kModel,
            "Seconds of execution spent on requests that were already gone (their share of the "
            "batch).",
            "For each executed batch with requests that timed out or were cancelled meanwhile."),
    counter(Metric::kPaddingElements, Unit::kOne, "inference_padding_elements_total", kModel,
            "Elements that were added to inputs so that a batch has one shape.",
            "For each executed batch; absent for an engine without padding."),
    counter(Metric::kElements, Unit::kOne, "inference_elements_total", kModel,
            "Elements of the inputs of executed batches, padding included.",
            "For each executed batch; absent for an engine without padding."),
    counter(Metric::kTelemetry, Unit::kNanoseconds, "inferometer_telemetry_seconds_total", kModel,
            "Seconds spent recording metrics (sampled).",
            "For each batch of 64 requests or more; smaller ones and requests that end outside a "
            "batch are sampled and scaled up."),
    gauge(Metric::kModelMemory, Unit::kOne, "inferometer_model_memory_bytes", kModelKind,
          "Bytes held for a model, by kind.",
          "Read at the scrape: `weights` and `activations` (of the largest batch) change with the "
          "model, `queue` all the time."),
    counter(
        Metric::kDeviceErrors, Unit::kOne, "inferometer_device_errors_total", kModelKind,
        "Faults of the device that a model runs on, by kind.",
        "For each batch that failed of one: `out_of_memory`, `lost` (the device answers nothing "
        "any more) or `other`. 0 on a CPU."),
    // HELP texts of nv_* are Triton's.
    counter(Metric::kTritonSuccess, Unit::kOne, "nv_inference_request_success", kTriton,
            "Number of successful inference requests, all batch sizes",
            "Once for each request that succeeds."),
    counter(Metric::kTritonFailure, Unit::kOne, "nv_inference_request_failure", kTritonReason,
            "Number of failed inference requests, all batch sizes",
            "Once for each request that fails: `BACKEND`, the model raised; `REJECTED`, refused at "
            "the door or its deadline passed; `CANCELED`, by its caller; `OTHER`, the engine was "
            "closed. Not for `invalid` requests."),
    counter(Metric::kTritonInferences, Unit::kOne, "nv_inference_count", kTriton,
            "Number of inferences performed (does not include cached requests)",
            "For each request that succeeds, its rows."),
    counter(Metric::kTritonExecutions, Unit::kOne, "nv_inference_exec_count", kTriton,
            "Number of model executions performed (does not include cached requests)",
            "Once for each executed batch, also one that failed."),
    counter(Metric::kTritonRequestTime, Unit::kOne, "nv_inference_request_duration_us", kTriton,
            "Cumulative inference request duration in microseconds (includes cached requests)",
            kPerSuccess),
    counter(Metric::kTritonQueueTime, Unit::kOne, "nv_inference_queue_duration_us", kTriton,
            "Cumulative inference queuing duration in microseconds (includes cached requests)",
            kPerSuccess),
    counter(Metric::kTritonInputTime, Unit::kOne, "nv_inference_compute_input_duration_us", kTriton,
            "Cumulative compute input duration in microseconds (does not include cached requests)",
            "For each request that succeeds, the time in which the rows of its whole batch were "
            "gathered; 0 for batches that lie in one piece."),
    counter(Metric::kTritonInferTime, Unit::kOne, "nv_inference_compute_infer_duration_us", kTriton,
            "Cumulative compute inference duration in microseconds (does not include cached "
            "requests)",
            "For each request that succeeds, the time for which the model ran on its whole batch, "
            "without that of copying outputs."),
    counter(Metric::kTritonOutputTime, Unit::kOne, "nv_inference_compute_output_duration_us",
            kTriton,
            "Cumulative inference compute output duration in microseconds (does not include cached "
            "requests)",
            "For each request that succeeds, the time in which the answers of its whole batch were "
            "copied; 0 for native models on the CPU, which write them in place."),
    gauge(Metric::kTritonPending, Unit::kOne, "nv_inference_pending_request_count", kTriton,
          "Instantaneous number of pending requests awaiting execution per-model.",
          "Requests that wait, read at the scrape."),
    gauge(Metric::kTritonLoadTime, Unit::kPlainFloat, "nv_model_load_duration_secs", kTriton,
          "Model load time in seconds",
          "Set when the engine is made and when its model is swapped: compiling a native model and "
          "setting up its engine."),
    histogram(Metric::kTritonLatency, Unit::kWholeMicros, kLatencyBounds,
              "nv_inference_request_latency_us", kTriton,
              "Histogram of inference request duration in microseconds",
              "Once for each accepted request, whatever its outcome: "
              "`inference_latency_seconds` of one version, in microseconds."),
    counter(Metric::kDroppedSeries, Unit::kOne, "inferometer_dropped_series_total", {},
            "Label values that got no series of their own for lack of room, and series left out of "
            "an exposition because they clash.",
            "At each look-up of such label values, and at each scrape for each series left out."),
    counter(Metric::kCollectorErrors, Unit::kOne, "inferometer_collector_errors_total", {},
            "Failures of foreign collectors while metrics were read.",
            "At each scrape, for each collector that throws or does not answer in time."),
    gauge(Metric::kPythonCollectorsStale, Unit::kOne, "inferometer_python_collectors_stale", {},
          "1 if metrics that only Python can read are shown with their last values, 0 if not.",
          "Set at each scrape: 1 if Python did not answer within 100 ms; absent without such "
          "metrics."),
    gauge(Metric::kBuildInfo, Unit::kOne, "inferometer_build_info", kVersion,
          "Always 1; the label names the version of inferometer.", "Constant."),
    // Of the machine and the process; Triton's and prometheus_client's names and sense.
    gauge(Metric::kGpuMemoryUsed, Unit::kOne, "gpu_memory_used_bytes", kDevice,
          "GPU memory in use by all processes, in bytes.", kSampled),
    gauge(Metric::kGpuMemoryTotal, Unit::kOne, "gpu_memory_total_bytes", kDevice,
          "GPU memory in total, in bytes.", kSampled),
    gauge(Metric::kGpuUtilization, Unit::kFloat, "gpu_utilization_ratio", kDevice,
          "Share of the time in which the GPU was busy, 0 to 1.", kSampled),
    gauge(Metric::kGpuClock, Unit::kOne, "gpu_clock_hertz", kDeviceClock,
          "Present clock of the GPU, by what it drives.", kSampled),
    gauge(Metric::kGpuTemperature, Unit::kOne, "gpu_temperature_celsius", kDevice,
          "Temperature of the GPU's die in degrees Celsius.", kSampled),
    gauge(Metric::kNvGpuUtilization, Unit::kPlainFloat, "nv_gpu_utilization", kGpuUuid,
          "GPU utilization rate, 0.0 to 1.0.", kSampled),
    gauge(Metric::kNvGpuMemoryTotal, Unit::kOne, "nv_gpu_memory_total_bytes", kGpuUuid,
          "GPU total memory, in bytes.", kSampled),
    gauge(Metric::kNvGpuMemoryUsed, Unit::kOne, "nv_gpu_memory_used_bytes", kGpuUuid,
          "GPU used memory, in bytes.", kSampled),
    gauge(Metric::kNvGpuPowerUsage, Unit::kPlainFloat, "nv_gpu_power_usage", kGpuUuid,
          "GPU power usage in watts.", kSampled),
    gauge(Metric::kNvGpuPowerLimit, Unit::kPlainFloat, "nv_gpu_power_limit", kGpuUuid,
          "GPU power management limit in watts.", kSampled),
    counter(Metric::kNvEnergyConsumption, Unit::kPlainFloat, "nv_energy_consumption", kGpuUuid,
            "GPU energy consumption in joules since this process began to watch the GPU.",
            kSampled),
    gauge(Metric::kNvCpuUtilization, Unit::kPlainFloat, "nv_cpu_utilization", {},
          "CPU utilization rate of the machine, 0.0 to 1.0.",
          "Read at the scrape, at most every 2 s: the share since the last reading."),
    gauge(Metric::kNvCpuMemoryTotal, Unit::kOne, "nv_cpu_memory_total_bytes", {},
          "CPU total memory (RAM), in bytes.", kRead),
    gauge(Metric::kNvCpuMemoryUsed, Unit::kOne, "nv_cpu_memory_used_bytes", {},
          "CPU used memory (RAM), in bytes.", kRead),
    counter(Metric::kProcessCpu, Unit::kFloat, "process_cpu_seconds_total", {},
            "Total user and system CPU time spent in seconds.", kRead),
    gauge(Metric::kProcessOpenFds, Unit::kOne, "process_open_fds", {},
          "Number of open file descriptors.", kRead),
    gauge(Metric::kProcessMaxFds, Unit::kOne, "process_max_fds", {},
          "Maximum number of open file descriptors.", kRead),
    gauge(Metric::kProcessVirtualMemory, Unit::kOne, "process_virtual_memory_bytes", {},
          "Virtual memory size in bytes.", kRead),
    gauge(Metric::kProcessResidentMemory, Unit::kOne, "process_resident_memory_bytes", {},
          "Resident memory size in bytes.", kRead),
    gauge(Metric::kProcessStartTime, Unit::kFloat, "process_start_time_seconds", {},
          "Start time of the process since the Unix epoch in seconds.", "Constant."),
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
