// Recording what happens to requests and batches: the engine's side of telemetry.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/registry.h"
#include "inferometer/request.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/series.h"

namespace inferometer {

/// What of an engine is read only when somebody scrapes. Called under the registry's lock: they
/// load atomics and nothing else.
struct LiveReadings {
  std::function<double()> queue_depth;
  std::function<double()> in_flight;
  std::function<double()> oldest_request_seconds;
  std::function<double()> queue_buffer_bytes;
};

struct RecorderOptions {
  std::string name;
  std::string version;
  std::optional<int64_t> latency_objective_ns;
  int64_t queue_limit = 0;
  int64_t weights_bytes = 0;
  int64_t activation_bytes = 0;
  /// Native buckets for the model's histograms, unless another version made them without.
  bool native_histograms = false;
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
  uint64_t busy_ns = 0;
  uint64_t wasted_ns = 0;
  uint64_t telemetry_ns = 0;
};

/// Writes one engine's metrics. All cells of one writer lie side by side in the registry's arena (a
/// shard), so that recording a request touches a few cache lines and takes no lock:
///
/// - the instance shard has a single writer at a time, the thread that runs the instance's batch,
///   and is written with plain loads and stores;
/// - requests that end elsewhere (refused, cancelled, expired, shut down) go to one of a few caller
///   shards, written with atomic adds and picked by thread.
///
/// Every method that records is noexcept, allocates nothing and never touches Python. The time
/// spent here is itself recorded: a batch's exactly, that of callers by timing one call in 64.
/// Thread-safe, except that record_batch() and the like belong to the instance's thread.
class Recorder {
 public:
  /// Throws ConfigError if the registry has a live engine of this name and version, or no room.
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
  void record_ended_early(Outcome outcome, const Timing& timing,
                          std::string_view trace_id = {}) noexcept;

  // By the thread that runs the instance's batch.
  /// `trace_id`, unless it is empty, becomes the exemplar of the request's latency bucket.
  void record_request(Outcome outcome, const Timing& timing,
                      std::string_view trace_id = {}) noexcept;
  void record_batch(ReleaseReason reason, int64_t rows, int64_t compute_ns) noexcept;
  void record_wasted(int64_t ns) noexcept;
  /// Recording for this batch started at `since_ns`.
  void record_own_time(int64_t since_ns) noexcept;

  [[nodiscard]] RecordedTotals totals() const;

 private:
  struct Slot {  // one series and where a shard keeps its words for it
    std::shared_ptr<Series> series;
    size_t offset = 0;
  };
  // Native buckets beside the shards' words: latency, queue, compute, batch size. Stragglers may
  // record into the cells after close().
  struct Native {
    std::shared_ptr<Series> series;         // until close()
    std::unique_ptr<NativeCells> instance;  // null: none; of the instance's thread
    std::unique_ptr<NativeCells> callers;
  };
  static constexpr size_t kLatencyNative = 0;
  static constexpr size_t kQueueNative = 1;
  static constexpr size_t kComputeNative = 2;
  static constexpr size_t kBatchSizeNative = 3;
  static constexpr size_t kCallerShards = 4;

  void add_reader(Metric metric, std::initializer_list<std::string_view> labels,
                  std::function<double()> reader);
  void add_native(size_t which, std::shared_ptr<Series> series, double low, double high);
  void observe_native(size_t which, double value) noexcept {
    if (natives_[which].instance) natives_[which].instance->observe_single_writer(value);
  }
  void observe_native_shared(size_t which, double value) noexcept {
    if (natives_[which].callers) natives_[which].callers->observe_shared(value);
  }
  void set_exemplar(int64_t latency_ns, std::string_view trace_id) noexcept;
  [[nodiscard]] Word* caller_shard() const noexcept;
  [[nodiscard]] Word* instance_shard() const noexcept { return shards_; }
  [[nodiscard]] uint64_t total_of(size_t offset) const noexcept;
  [[nodiscard]] RecordedTotals::Distribution distribution_at(size_t offset, size_t bounds) const;

  const std::shared_ptr<Registry> registry_;
  const RecorderOptions options_;
  const Clock& clock_;
  int64_t clock_cost_ns_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::pair<std::shared_ptr<Series>, uint64_t>> readers_;
  std::array<Native, 4> natives_;
  std::shared_ptr<ExemplarCells> exemplars_;  // those of the latency series
  Word* shards_ = nullptr;                    // the instance's, then kCallerShards
  std::atomic<bool> closed_{false};
};

}  // namespace inferometer
