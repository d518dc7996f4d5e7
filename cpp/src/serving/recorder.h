// Recording what happens to requests and batches: the engine's side of telemetry.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "inferometer/request.h"
#include "serving/own_time.h"
#include "serving/recorder_series.h"

namespace inferometer {

/// A batch that was executed, for record_batch().
struct ExecutedBatch {
  ReleaseReason reason = ReleaseReason::kIdle;
  int64_t rows = 0;
  int64_t input_ns = 0;    // gathering its rows, bringing them to a device
  int64_t compute_ns = 0;  // the model's time, output_ns included
  int64_t output_ns = 0;   // copying its answers
  int64_t succeeded = 0;   // its requests that were recorded as a success
  int64_t inferences = 0;  // their rows
  // Of all its inputs, in an engine with padding: what was filled in, and all with that.
  int64_t padding_elements = 0;
  int64_t elements = 0;
};

/// Totals of one engine, read back from its own cells (not from the series it shares with other
/// versions of the model).
struct RecordedTotals {
  std::array<uint64_t, kOutcomes> requests{};
  std::array<uint64_t, kReleaseReasons> batches{};
  struct Distribution {
    std::vector<uint64_t> buckets;  // not cumulative, the last one is +Inf
    uint64_t sum = 0;               // raw units: nanoseconds or rows
  };
  Distribution latency, queue, compute, batch_size;
  uint64_t within_objective = 0;
  uint64_t padding_elements = 0;
  uint64_t elements = 0;
  uint64_t busy_ns = 0;  // of all instances
  uint64_t wasted_ns = 0;
  uint64_t telemetry_ns = 0;
  std::array<uint64_t, kDeviceErrorNames.size()> device_errors{};
};

/// Writes one engine's metrics. All cells of one writer lie side by side in the registry's arena (a
/// shard), so that recording a request touches a few cache lines and takes no lock:
///
/// - each instance's shard has a single writer at a time, whoever runs the instance's batch, and is
///   written with plain loads and stores;
/// - requests that end elsewhere (refused, cancelled, expired, shut down) go to one of a few caller
///   shards, written with atomic adds and picked by thread.
///
/// Every method that records is noexcept, allocates nothing and never touches Python. The time
/// spent here is itself recorded, from samples: see own_time.h; of callers one call in 64.
///
/// Triton's families follow Triton's counting: durations of successes alone, each in whole
/// microseconds; a batch's compute times in full for each of its requests.
///
/// Time comes with the requests; the clock serves for measuring recording alone, and a virtual one
/// is not even read.
///
/// Thread-safe, except that what takes an instance belongs to whoever runs that instance's batch:
/// one thread at a time, each behind what the one before it recorded.
class Recorder {
 public:
  /// Throws ConfigError if the registry has a live engine of this name and version, or no room, and
  /// unless there are 1 to kMaxInstances instances.
  Recorder(std::shared_ptr<Registry> registry, const RecorderOptions& options,
           const LiveReadings& live, const Clock& clock);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Takes the engine's series out of the registry and gives its name back. What a straggler
  /// records afterwards is seen by nobody. Idempotent.
  void close();

  // By any thread.
  void record_refused(Outcome outcome) noexcept;  // rejected, invalid: never accepted
  void record_device_error(DeviceFault fault) noexcept;
  void record_ended_early(Outcome outcome, const Timing& timing,
                          std::string_view trace_id = {}) noexcept;

  /// For a model that was swapped in.
  void set_load_ns(int64_t ns) noexcept;

  // By whoever runs the batch of this instance, counted from 0.
  [[nodiscard]] OwnTime::Stretch begin_recording(size_t instance, size_t requests) noexcept;
  /// `trace_id`, unless it is empty, becomes the exemplar of the request's latency bucket.
  void record_request(size_t instance, Outcome outcome, const Timing& timing,
                      std::string_view trace_id = {}) noexcept;
  void record_batch(size_t instance, const ExecutedBatch& batch) noexcept;
  void record_wasted(size_t instance, int64_t ns) noexcept;
  /// Where recording cannot be measured: what it is to have cost.
  void record_telemetry(size_t instance, int64_t ns) noexcept;
  void end_recording(size_t instance, const OwnTime::Stretch& stretch) noexcept;

  [[nodiscard]] RecordedTotals totals() const;

 private:
  void record_request_details(size_t instance, int64_t total_ns, int64_t queue_ns,
                              std::string_view trace_id) noexcept;
  void record_batch_details(size_t instance, const ExecutedBatch& batch) noexcept;
  void set_exemplar(int64_t latency_ns, std::string_view trace_id) noexcept;
  [[nodiscard]] Word* caller_shard() const noexcept;
  [[nodiscard]] Word* instance_shard(size_t instance) const noexcept;
  [[nodiscard]] uint64_t total_of(size_t offset) const noexcept;
  [[nodiscard]] RecordedTotals::Distribution distribution_at(size_t offset, size_t bounds) const;

  const OwnTime own_time_;
  const std::shared_ptr<Registry> registry_;
  const RecorderOptions options_;
  Word* shards_ = nullptr;  // the instances', then the callers'
  std::optional<RecorderSeries> series_;
  RecorderNatives* natives_ = nullptr;  // those of series_; null: none of its histograms has any
  ExemplarCells* exemplars_ = nullptr;  // those of series_
  std::atomic<bool> closed_{false};
};

}  // namespace inferometer
