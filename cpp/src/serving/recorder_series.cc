#include "serving/recorder_series.h"

#include "inferometer/clock.h"
#include "inferometer/request.h"
#include "serving/recorder_cells.h"

namespace inferometer {
namespace {

using Cells = ShardCells;

static_assert(kStatusNames.size() == kOutcomes && kReasonNames.size() == kReleaseReasons);

constexpr size_t status_cell(Outcome outcome) noexcept {
  return Cells::kStatus + static_cast<size_t>(outcome);
}

constexpr size_t reason_cell(ReleaseReason reason) noexcept {
  return Cells::kReason + static_cast<size_t>(reason);
}

}  // namespace

RecorderSeries::RecorderSeries(Registry& registry, const RecorderOptions& options,
                               const LiveReadings& live, const Word* shards)
    : with_natives_(options.native_histograms),
      instances_(options.instances),
      registry_(registry),
      shards_(shards),
      load_ns_(options.load_ns) {
  try {
    attach_all(options, live);
    attach_triton(options, live);
  } catch (...) {
    detach();
    throw;
  }
}

RecorderSeries::~RecorderSeries() { detach(); }

void RecorderSeries::detach() {
  for (const auto& [series, id] : readings_) series->detach_reader(id);
  natives_.detach();
  for (const auto& [series, words] : cells_) series->detach(words);
  readings_.clear();
  cells_.clear();
}

void RecorderSeries::attach_all(const RecorderOptions& options, const LiveReadings& live) {
  const std::string_view model = options.name;
  for (size_t i = 0; i < kOutcomes; ++i) {
    show(Metric::kRequests, {model, kStatusNames[i]}, {Cells::kStatus + i});
  }
  const auto latency = show(Metric::kLatency, {model}, {Cells::kLatency});
  exemplars_ = latency->exemplars();
  using Natives = RecorderNatives;
  natives_.attach(Natives::kLatency, latency, instances_);
  natives_.attach(Natives::kQueue, show(Metric::kQueue, {model}, {Cells::kQueue}), instances_);
  natives_.attach(Natives::kCompute, show(Metric::kCompute, {model}, {Cells::kCompute}),
                  instances_);
  natives_.attach(Natives::kBatchSize, show(Metric::kBatchSize, {model}, {Cells::kBatchSize}),
                  instances_);
  for (size_t i = 0; i < kReleaseReasons; ++i) {
    show(Metric::kBatches, {model, kReasonNames[i]}, {Cells::kReason + i});
  }
  for (size_t i = 0; i < instances_; ++i) {
    attach(registry_.acquire(Metric::kBusy, {model, std::to_string(i)}), i, Cells::kBusy);
  }
  show(Metric::kWasted, {model}, {Cells::kWasted});
  if (options.padding) {
    show(Metric::kPaddingElements, {model}, {Cells::kPadding});
    show(Metric::kElements, {model}, {Cells::kElements});
  }
  show(Metric::kTelemetry, {model}, {Cells::kTelemetry});
  for (size_t i = 0; i < kDeviceErrorNames.size(); ++i) {
    show(Metric::kDeviceErrors, {model, kDeviceErrorNames[i]}, {Cells::kDeviceErrors + i});
  }

  show_reading(Metric::kQueueDepth, {model}, live.queue_depth);
  show_reading(Metric::kQueueLimit, {model}, live.queue_limit);
  show_reading(Metric::kInFlight, {model}, live.in_flight);
  show_reading(Metric::kOldestRequest, {model}, live.oldest_request_seconds);
  if (options.latency_objective_ns) {
    show(Metric::kWithinObjective, {model}, {Cells::kWithin});
    show_constant(Metric::kLatencyObjective, {model}, ns_to_seconds(*options.latency_objective_ns));
  }
  show_reading(Metric::kModelMemory, {model, "weights"}, live.weights_bytes);
  show_reading(Metric::kModelMemory, {model, "activations"}, live.activation_bytes);
  show_reading(Metric::kModelMemory, {model, "queue"}, live.queue_buffer_bytes);
}

void RecorderSeries::attach_triton(const RecorderOptions& options, const LiveReadings& live) {
  const std::string_view model = options.name;
  const std::string_view version = options.version;
  show(Metric::kTritonSuccess, {model, version}, {status_cell(Outcome::kSuccess)});
  // Made in Triton's order. `invalid` requests are nobody's failure in Triton's eyes.
  const auto [other, backend, canceled, rejected] = kTritonReasonNames;
  show(Metric::kTritonFailure, {model, other, version}, {status_cell(Outcome::kShutdown)});
  show(Metric::kTritonFailure, {model, backend, version}, {status_cell(Outcome::kFailure)});
  show(Metric::kTritonFailure, {model, canceled, version}, {status_cell(Outcome::kCancelled)});
  show(Metric::kTritonFailure, {model, rejected, version},
       {status_cell(Outcome::kRejected), status_cell(Outcome::kTimeout)});
  show(Metric::kTritonInferences, {model, version}, {Cells::kInferences});
  show(Metric::kTritonExecutions, {model, version},
       {reason_cell(ReleaseReason::kFull), reason_cell(ReleaseReason::kPreferred),
        reason_cell(ReleaseReason::kDelay), reason_cell(ReleaseReason::kIdle),
        reason_cell(ReleaseReason::kShape), reason_cell(ReleaseReason::kDrain)});
  static_assert(kReleaseReasons == 6);
  show(Metric::kTritonRequestTime, {model, version}, {Cells::kRequestUs});
  show(Metric::kTritonQueueTime, {model, version}, {Cells::kQueueUs});
  show(Metric::kTritonInputTime, {model, version}, {Cells::kInputUs});
  show(Metric::kTritonInferTime, {model, version}, {Cells::kInferUs});
  show(Metric::kTritonOutputTime, {model, version}, {Cells::kOutputUs});
  show_reading(Metric::kTritonPending, {model, version}, live.queue_depth);
  show_reading(Metric::kTritonLoadTime, {model, version},
               [this] { return ns_to_seconds(load_ns_.load(std::memory_order_relaxed)); });
  show(Metric::kTritonLatency, {model, version}, {Cells::kLatency});
}

std::shared_ptr<Series> RecorderSeries::show(Metric metric, Labels labels,
                                             std::initializer_list<size_t> offsets) {
  // Triton has no native histograms, and a view would need cells of its own.
  const bool native = with_natives_ && metric != Metric::kTritonLatency;
  std::shared_ptr<Series> series = registry_.acquire(metric, labels, native);
  for (size_t shard = 0; shard < Cells::shards(instances_); ++shard) {
    for (const size_t offset : offsets) attach(series, shard, offset);
  }
  return series;
}

void RecorderSeries::attach(const std::shared_ptr<Series>& series, size_t shard, size_t offset) {
  const Word* const words = shards_ + shard * Cells::kWords + offset;
  cells_.emplace_back(series, words);
  series->attach(words);
}

void RecorderSeries::show_reading(Metric metric, Labels labels, std::function<double()> reading) {
  std::shared_ptr<Series> series = registry_.acquire(metric, labels);
  const uint64_t id = series->attach_reader(std::move(reading));
  readings_.emplace_back(std::move(series), id);
}

void RecorderSeries::show_constant(Metric metric, Labels labels, double value) {
  show_reading(metric, labels, [value] { return value; });
}

}  // namespace inferometer
