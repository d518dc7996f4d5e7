#include "serving/recorder.h"

#include <algorithm>
#include <utility>

#include "base/word.h"
#include "telemetry/record/histogram_cells.h"

namespace inferometer {
namespace {

constexpr size_t kHistogramWords = kLatencyBounds.size() + 2;
constexpr size_t kBatchSizeWords = kBatchSizeBounds.size() + 2;

// A shard's layout. What every request writes comes first.
constexpr size_t kStatusAt = 0;
constexpr size_t kWithinAt = kStatusAt + kOutcomes;
constexpr size_t kLatencyAt = kWithinAt + 1;
constexpr size_t kQueueAt = kLatencyAt + kHistogramWords;
constexpr size_t kComputeAt = kQueueAt + kHistogramWords;
constexpr size_t kBatchSizeAt = kComputeAt + kHistogramWords;
constexpr size_t kReasonAt = kBatchSizeAt + kBatchSizeWords;
constexpr size_t kBusyAt = kReasonAt + kReleaseReasons;
constexpr size_t kWastedAt = kBusyAt + 1;
constexpr size_t kTelemetryAt = kWastedAt + 1;
constexpr size_t kShardWords = (kTelemetryAt + 1 + 7) / 8 * 8;  // whole cache lines

static_assert(kStatusNames.size() == kOutcomes && kReasonNames.size() == kReleaseReasons);

// Callers' recording is timed once in this many calls, and counted as if all took that long.
constexpr uint64_t kSamplePeriod = 64;

// What one pair of clock reads costs beyond what it measures: reading takes time before and after
// the instant it reports, together about one read.
int64_t measure_clock_cost(const Clock& clock) {
  int64_t best = kNever;
  for (int i = 0; i < 32; ++i) {
    const int64_t start = clock.now_ns();
    best = std::min(best, clock.now_ns() - start);
  }
  return std::max<int64_t>(best, 0);
}

uint64_t unsigned_ns(int64_t ns) noexcept {
  return static_cast<uint64_t>(std::max<int64_t>(ns, 0));
}

}  // namespace

Recorder::Recorder(std::shared_ptr<Registry> registry, const RecorderOptions& options,
                   const LiveReadings& live, const Clock& clock)
    : registry_(std::move(registry)), options_(options), clock_(clock) {
  registry_->claim(options.name, options.version);
  try {
    clock_cost_ns_ = measure_clock_cost(clock_);
    shards_ = registry_->allocate_words(kShardWords * (1 + kCallerShards));
    const std::string_view model = options_.name;
    const auto add = [&](Metric metric, size_t offset,
                         std::initializer_list<std::string_view> labels) {
      slots_.push_back({registry_->acquire(metric, labels, options_.native_histograms), offset});
      for (size_t shard = 0; shard <= kCallerShards; ++shard) {
        slots_.back().series->attach(shards_ + shard * kShardWords + offset);
      }
    };
    for (size_t i = 0; i < kOutcomes; ++i) {
      add(Metric::kRequests, kStatusAt + i, {model, kStatusNames[i]});
    }
    if (options_.latency_objective_ns) add(Metric::kWithinObjective, kWithinAt, {model});
    constexpr double kShortest = 1e-9;
    constexpr double kLongest = 1e5;  // seconds: more than a day
    add(Metric::kLatency, kLatencyAt, {model});
    exemplars_ = slots_.back().series->exemplars();
    add_native(kLatencyNative, slots_.back().series, kShortest, kLongest);
    add(Metric::kQueue, kQueueAt, {model});
    add_native(kQueueNative, slots_.back().series, kShortest, kLongest);
    add(Metric::kCompute, kComputeAt, {model});
    add_native(kComputeNative, slots_.back().series, kShortest, kLongest);
    add(Metric::kBatchSize, kBatchSizeAt, {model});
    add_native(kBatchSizeNative, slots_.back().series, 1, 1 << 20);
    for (size_t i = 0; i < kReleaseReasons; ++i) {
      add(Metric::kBatches, kReasonAt + i, {model, kReasonNames[i]});
    }
    add(Metric::kBusy, kBusyAt, {model, "0"});
    add(Metric::kWasted, kWastedAt, {model});
    add(Metric::kTelemetry, kTelemetryAt, {model});

    const auto constant = [](double value) { return [value] { return value; }; };
    add_reader(Metric::kQueueDepth, {model}, live.queue_depth);
    add_reader(Metric::kQueueLimit, {model}, constant(static_cast<double>(options_.queue_limit)));
    add_reader(Metric::kInFlight, {model}, live.in_flight);
    add_reader(Metric::kOldestRequest, {model}, live.oldest_request_seconds);
    if (options_.latency_objective_ns) {
      add_reader(Metric::kLatencyObjective, {model},
                 constant(ns_to_seconds(*options_.latency_objective_ns)));
    }
    add_reader(Metric::kModelMemory, {model, "weights"},
               constant(static_cast<double>(options_.weights_bytes)));
    add_reader(Metric::kModelMemory, {model, "activations"},
               constant(static_cast<double>(options_.activation_bytes)));
    add_reader(Metric::kModelMemory, {model, "queue"}, live.queue_buffer_bytes);
  } catch (...) {
    close();
    if (shards_ != nullptr) registry_->free_words(shards_, kShardWords * (1 + kCallerShards));
    throw;
  }
}

Recorder::~Recorder() {
  close();
  registry_->free_words(shards_, kShardWords * (1 + kCallerShards));
}

void Recorder::add_reader(Metric metric, std::initializer_list<std::string_view> labels,
                          std::function<double()> reader) {
  auto series = registry_->acquire(metric, labels);
  const uint64_t id = series->attach_reader(std::move(reader));
  readers_.emplace_back(std::move(series), id);
}

void Recorder::add_native(size_t which, std::shared_ptr<Series> series, double low, double high) {
  auto instance = series->attach_native();
  if (!instance) return;
  natives_[which] = {series, std::move(instance), series->attach_native()};
  natives_[which].instance->reserve(low, high);
  natives_[which].callers->reserve(low, high);
}

void Recorder::close() {
  if (closed_.exchange(true)) return;
  for (const auto& [series, id] : readers_) series->detach_reader(id);
  for (Native& native : natives_) {
    if (!native.series) continue;
    if (native.instance) native.series->detach_native(*native.instance);
    if (native.callers) native.series->detach_native(*native.callers);
    native.series.reset();
  }
  for (const Slot& slot : slots_) {
    for (size_t shard = 0; shard <= kCallerShards; ++shard) {
      slot.series->detach(shards_ + shard * kShardWords + slot.offset);
    }
  }
  readers_.clear();
  slots_.clear();
  registry_->release(options_.name, options_.version);
}

Word* Recorder::caller_shard() const noexcept {
  static std::atomic<size_t> threads{0};
  thread_local const size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
  return shards_ + (1 + mine % kCallerShards) * kShardWords;
}

void Recorder::record_refused(Outcome outcome) noexcept {
  add_shared(caller_shard()[kStatusAt + static_cast<size_t>(outcome)], 1);
}

void Recorder::set_exemplar(int64_t latency_ns, std::string_view trace_id) noexcept {
  const std::pair<std::string_view, std::string_view> label{"trace_id", trace_id};
  exemplars_->set(bucket_index<int64_t>(kLatencyBounds, latency_ns), {&label, 1},
                  ns_to_seconds(latency_ns), wall_clock().now_ns());
}

void Recorder::record_ended_early(Outcome outcome, const Timing& timing,
                                  std::string_view trace_id) noexcept {
  thread_local uint64_t calls = 0;
  const bool timed = calls++ % kSamplePeriod == 0;
  const int64_t start = timed ? clock_.now_ns() : 0;
  Word* const shard = caller_shard();
  add_shared(shard[kStatusAt + static_cast<size_t>(outcome)], 1);
  const int64_t latency = std::max<int64_t>(timing.total_ns, 0);
  observe_shared(shard + kLatencyAt, kLatencyBounds, latency);
  observe_native_shared(kLatencyNative, ns_to_seconds(latency));
  if (timing.batch_size > 0) {  // its batch had started
    const int64_t queued = std::max<int64_t>(timing.queue_ns, 0);
    observe_shared(shard + kQueueAt, kLatencyBounds, queued);
    observe_native_shared(kQueueNative, ns_to_seconds(queued));
  }
  if (!trace_id.empty()) set_exemplar(latency, trace_id);
  if (timed) {
    const int64_t spent = clock_.now_ns() - start;
    add_shared(shard[kTelemetryAt], unsigned_ns(spent) * kSamplePeriod);
  }
}

void Recorder::record_request(Outcome outcome, const Timing& timing,
                              std::string_view trace_id) noexcept {
  Word* const shard = instance_shard();
  const int64_t latency = std::max<int64_t>(timing.total_ns, 0);
  const int64_t queued = std::max<int64_t>(timing.queue_ns, 0);
  add_single_writer(shard[kStatusAt + static_cast<size_t>(outcome)], 1);
  observe_single_writer(shard + kLatencyAt, kLatencyBounds, latency);
  observe_single_writer(shard + kQueueAt, kLatencyBounds, queued);
  observe_native(kLatencyNative, ns_to_seconds(latency));
  observe_native(kQueueNative, ns_to_seconds(queued));
  if (!trace_id.empty()) set_exemplar(latency, trace_id);
  if (options_.latency_objective_ns && outcome == Outcome::kSuccess &&
      timing.total_ns <= *options_.latency_objective_ns) {
    add_single_writer(shard[kWithinAt], 1);
  }
}

void Recorder::record_batch(ReleaseReason reason, int64_t rows, int64_t compute_ns) noexcept {
  Word* const shard = instance_shard();
  add_single_writer(shard[kReasonAt + static_cast<size_t>(reason)], 1);
  observe_single_writer(shard + kComputeAt, kLatencyBounds, std::max<int64_t>(compute_ns, 0));
  observe_single_writer(shard + kBatchSizeAt, kBatchSizeBounds, rows);
  observe_native(kComputeNative, ns_to_seconds(std::max<int64_t>(compute_ns, 0)));
  observe_native(kBatchSizeNative, static_cast<double>(rows));
  add_single_writer(shard[kBusyAt], unsigned_ns(compute_ns));
}

void Recorder::record_wasted(int64_t ns) noexcept {
  add_single_writer(instance_shard()[kWastedAt], unsigned_ns(ns));
}

void Recorder::record_own_time(int64_t since_ns) noexcept {
  const int64_t spent = clock_.now_ns() - since_ns + clock_cost_ns_;
  add_single_writer(instance_shard()[kTelemetryAt], unsigned_ns(spent));
}

uint64_t Recorder::total_of(size_t offset) const noexcept {
  uint64_t total = 0;
  for (size_t shard = 0; shard <= kCallerShards; ++shard) {
    total += shards_[shard * kShardWords + offset].load(std::memory_order_relaxed);
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
  for (size_t i = 0; i < kOutcomes; ++i) totals.requests[i] = total_of(kStatusAt + i);
  for (size_t i = 0; i < kReleaseReasons; ++i) totals.batches[i] = total_of(kReasonAt + i);
  totals.latency = distribution_at(kLatencyAt, kLatencyBounds.size());
  totals.queue = distribution_at(kQueueAt, kLatencyBounds.size());
  totals.compute = distribution_at(kComputeAt, kLatencyBounds.size());
  totals.batch_size = distribution_at(kBatchSizeAt, kBatchSizeBounds.size());
  totals.within_objective = total_of(kWithinAt);
  totals.busy_ns = total_of(kBusyAt);
  totals.wasted_ns = total_of(kWastedAt);
  totals.telemetry_ns = total_of(kTelemetryAt);
  return totals;
}

}  // namespace inferometer
