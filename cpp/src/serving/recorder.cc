#include "serving/recorder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/word.h"
#include "inferometer/errors.h"
#include "serving/recorder_cells.h"
#include "telemetry/record/histogram_cells.h"

namespace inferometer {
namespace {

using Cells = ShardCells;

// Callers' recording is timed once in this many calls of a thread.
constexpr uint64_t kSamplePeriod = 64;

uint64_t unsigned_ns(int64_t ns) noexcept {
  return static_cast<uint64_t>(std::max<int64_t>(ns, 0));
}

RecorderOptions checked(RecorderOptions options) {
  if (options.instances < 1 || options.instances > kMaxInstances) {
    throw ConfigError("instances: got " + std::to_string(options.instances) + ", want 1 to " +
                      std::to_string(kMaxInstances));
  }
  return options;
}

uint64_t whole_us(int64_t ns) noexcept { return unsigned_ns(ns) / 1000; }

}  // namespace

Recorder::Recorder(std::shared_ptr<Registry> registry, const RecorderOptions& options,
                   const LiveReadings& live, const Clock& clock)
    : own_time_(clock), registry_(std::move(registry)), options_(checked(options)) {
  registry_->claim(options_.name, options_.version);
  try {
    shards_ = registry_->allocate_words(Cells::words(options_.instances));
    series_.emplace(*registry_, options_, live, shards_);
    exemplars_ = &series_->exemplars();
    if (series_->natives().any()) natives_ = &series_->natives();
  } catch (...) {
    if (shards_ != nullptr) {
      registry_->free_words(shards_, Cells::words(options_.instances));
    }
    registry_->release(options_.name, options_.version);
    throw;
  }
}

Recorder::~Recorder() {
  close();
  registry_->free_words(shards_, Cells::words(options_.instances));
}

void Recorder::close() {
  if (closed_.exchange(true)) return;
  if (series_) series_->detach();
  registry_->release(options_.name, options_.version);
}

Word* Recorder::caller_shard() const noexcept {
  static std::atomic<size_t> threads{0};
  thread_local const size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return shards_ + Cells::caller_shard(options_.instances, mine) * Cells::kWords;
}

Word* Recorder::instance_shard(size_t instance) const noexcept {
  return shards_ + instance * Cells::kWords;
}

void Recorder::record_refused(Outcome outcome) noexcept {
  add_shared(caller_shard()[Cells::kStatus + static_cast<size_t>(outcome)], 1);
}

void Recorder::record_device_error(DeviceFault fault) noexcept {
  const size_t kind = fault == DeviceFault::kOutOfMemory ? 0 : fault == DeviceFault::kLost ? 1 : 2;
  add_shared(caller_shard()[Cells::kDeviceErrors + kind], 1);
}

void Recorder::set_exemplar(int64_t latency_ns, std::string_view trace_id) noexcept {
  const std::pair<std::string_view, std::string_view> label{"trace_id", trace_id};
  exemplars_->set(bucket_index<int64_t>(kLatencyBounds, latency_ns), {&label, 1},
                  ns_to_seconds(latency_ns), wall_clock().now_ns());
}

void Recorder::record_ended_early(Outcome outcome, const Timing& timing,
                                  std::string_view trace_id) noexcept {
  thread_local uint64_t calls = 0;
  OwnTime::Stretch stretch;
  if (calls++ % kSamplePeriod == 0) stretch = own_time_.begin(kSamplePeriod);
  Word* const shard = caller_shard();
  add_shared(shard[Cells::kStatus + static_cast<size_t>(outcome)], 1);
  const int64_t total_ns = std::max<int64_t>(timing.total_ns, 0);
  observe_shared(shard + Cells::kLatency, kLatencyBounds, total_ns);
  if (natives_ != nullptr) natives_->observe_shared(RecorderNatives::kLatency, total_ns);
  if (timing.batch_size > 0) {  // its batch had started
    const int64_t queue_ns = std::max<int64_t>(timing.queue_ns, 0);
    observe_shared(shard + Cells::kQueue, kLatencyBounds, queue_ns);
    if (natives_ != nullptr) natives_->observe_shared(RecorderNatives::kQueue, queue_ns);
  }
  if (!trace_id.empty()) set_exemplar(total_ns, trace_id);
  if (stretch.weight > 0) add_shared(shard[Cells::kTelemetry], own_time_.end(stretch));
}

void Recorder::set_load_ns(int64_t ns) noexcept {
  if (series_) series_->set_load_ns(ns);
}

OwnTime::Stretch Recorder::begin_recording(size_t instance, size_t requests) noexcept {
  return own_time_.begin_batch(instance_shard(instance)[Cells::kRandom], requests);
}

// Details are out of line and come last, so that recording without a trace id or native buckets
// does not pay for their registers.
[[gnu::noinline]] void Recorder::record_request_details(size_t instance, int64_t total_ns,
                                                        int64_t queue_ns,
                                                        std::string_view trace_id) noexcept {
  if (natives_ != nullptr) {
    natives_->observe(RecorderNatives::kLatency, instance, total_ns);
    natives_->observe(RecorderNatives::kQueue, instance, queue_ns);
  }
  if (!trace_id.empty()) set_exemplar(total_ns, trace_id);
}

void Recorder::record_request(size_t instance, Outcome outcome, const Timing& timing,
                              std::string_view trace_id) noexcept {
  Word* const shard = instance_shard(instance);
  const int64_t total_ns = std::max<int64_t>(timing.total_ns, 0);
  const int64_t queue_ns = std::max<int64_t>(timing.queue_ns, 0);
  add_single_writer(shard[Cells::kStatus + static_cast<size_t>(outcome)], 1);
  observe_single_writer(shard + Cells::kLatency, kLatencyBounds, total_ns);
  observe_single_writer(shard + Cells::kQueue, kLatencyBounds, queue_ns);
  if (outcome == Outcome::kSuccess) {
    add_single_writer(shard[Cells::kRequestUs], whole_us(total_ns));
    add_single_writer(shard[Cells::kQueueUs], whole_us(queue_ns));
    if (options_.latency_objective_ns && timing.total_ns <= *options_.latency_objective_ns) {
      add_single_writer(shard[Cells::kWithin], 1);
    }
  }
  if (natives_ != nullptr || !trace_id.empty()) [[unlikely]]
    record_request_details(instance, total_ns, queue_ns, trace_id);
}

[[gnu::noinline]] void Recorder::record_batch_details(size_t instance,
                                                      const ExecutedBatch& batch) noexcept {
  if (natives_ != nullptr) {
    natives_->observe(RecorderNatives::kCompute, instance, std::max<int64_t>(batch.compute_ns, 0));
    natives_->observe(RecorderNatives::kBatchSize, instance, batch.rows);
  }
  if (options_.padding) {
    Word* const shard = instance_shard(instance);
    add_single_writer(shard[Cells::kPadding], static_cast<uint64_t>(batch.padding_elements));
    add_single_writer(shard[Cells::kElements], static_cast<uint64_t>(batch.elements));
  }
}

void Recorder::record_batch(size_t instance, const ExecutedBatch& batch) noexcept {
  Word* const shard = instance_shard(instance);
  const int64_t compute_ns = std::max<int64_t>(batch.compute_ns, 0);
  const int64_t output_ns = std::max<int64_t>(batch.output_ns, 0);
  add_single_writer(shard[Cells::kReason + static_cast<size_t>(batch.reason)], 1);
  observe_single_writer(shard + Cells::kCompute, kLatencyBounds, compute_ns);
  observe_single_writer(shard + Cells::kBatchSize, kBatchSizeBounds, batch.rows);
  add_single_writer(shard[Cells::kBusy], unsigned_ns(compute_ns));
  if (batch.succeeded > 0) {
    const auto successes = static_cast<uint64_t>(batch.succeeded);
    add_single_writer(shard[Cells::kInferences], static_cast<uint64_t>(batch.inferences));
    add_single_writer(shard[Cells::kInputUs], successes * whole_us(batch.input_ns));
    add_single_writer(shard[Cells::kInferUs], successes * whole_us(compute_ns - output_ns));
    add_single_writer(shard[Cells::kOutputUs], successes * whole_us(output_ns));
  }
  if (natives_ != nullptr || options_.padding) [[unlikely]]
    record_batch_details(instance, batch);
}

void Recorder::record_wasted(size_t instance, int64_t ns) noexcept {
  add_single_writer(instance_shard(instance)[Cells::kWasted], unsigned_ns(ns));
}

void Recorder::record_telemetry(size_t instance, int64_t ns) noexcept {
  add_single_writer(instance_shard(instance)[Cells::kTelemetry], unsigned_ns(ns));
}

void Recorder::end_recording(size_t instance, const OwnTime::Stretch& stretch) noexcept {
  if (stretch.weight > 0) {
    add_single_writer(instance_shard(instance)[Cells::kTelemetry], own_time_.end(stretch));
  }
}

uint64_t Recorder::total_of(size_t offset) const noexcept {
  uint64_t total = 0;
  for (size_t shard = 0; shard < Cells::shards(options_.instances); ++shard) {
    total += shards_[shard * Cells::kWords + offset].load(std::memory_order_relaxed);
  }
  return total;
}

RecordedTotals::Distribution Recorder::distribution_at(size_t offset, size_t bounds) const {
  RecordedTotals::Distribution distribution;
  for (size_t i = 0; i <= bounds; ++i) distribution.buckets.push_back(total_of(offset + i));
  distribution.sum = total_of(offset + bounds + 1);
  return distribution;
}

RecordedTotals Recorder::totals() const {
  RecordedTotals totals;
  for (size_t i = 0; i < kOutcomes; ++i) totals.requests[i] = total_of(Cells::kStatus + i);
  for (size_t i = 0; i < kReleaseReasons; ++i) totals.batches[i] = total_of(Cells::kReason + i);
  totals.latency = distribution_at(Cells::kLatency, kLatencyBounds.size());
  totals.queue = distribution_at(Cells::kQueue, kLatencyBounds.size());
  totals.compute = distribution_at(Cells::kCompute, kLatencyBounds.size());
  totals.batch_size = distribution_at(Cells::kBatchSize, kBatchSizeBounds.size());
  totals.within_objective = total_of(Cells::kWithin);
  totals.padding_elements = total_of(Cells::kPadding);
  totals.elements = total_of(Cells::kElements);
  totals.busy_ns = total_of(Cells::kBusy);
  totals.wasted_ns = total_of(Cells::kWasted);
  totals.telemetry_ns = total_of(Cells::kTelemetry);
  for (size_t i = 0; i < kDeviceErrorNames.size(); ++i) {
    totals.device_errors[i] = total_of(Cells::kDeviceErrors + i);
  }
  return totals;
}

}  // namespace inferometer
