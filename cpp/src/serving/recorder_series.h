// Which series an engine shows, and which cells or readings each is made of.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/word.h"
#include "inferometer/registry.h"
#include "serving/recorder_natives.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/exemplar_cells.h"
#include "telemetry/record/series.h"

namespace inferometer {

/// What of an engine is read only when somebody scrapes. Called under the registry's lock: they
/// load atomics and nothing else.
struct LiveReadings {
  std::function<double()> queue_depth;
  std::function<double()> in_flight;
  std::function<double()> oldest_request_seconds;
  std::function<double()> queue_buffer_bytes;
  std::function<double()> queue_limit;
  std::function<double()> weights_bytes;
  std::function<double()> activation_bytes;  // of the largest batch
};

inline constexpr size_t kMaxInstances = 65'536;

struct RecorderOptions {
  std::string name;
  std::string version;
  std::optional<int64_t> latency_objective_ns;
  size_t instances = 1;  // 1 to kMaxInstances
  int64_t load_ns = 0;
  /// Shows the padding of executed batches.
  bool padding = false;
  /// Native buckets for the model's histograms, unless another version made them without.
  bool native_histograms = false;
};

/// Keeps an engine's series in the registry. `inference_*` are shared by the versions of a model
/// and `nv_*` (Triton's families) are of one version; most of the latter are views on the cells of
/// the former, so that they cost nothing to record. Single-owner.
class RecorderSeries {
 public:
  /// `shards`: those of ShardCells::shards(), one after the other; they outlive this. Throws
  /// ConfigError if there is no room, and then has attached nothing.
  RecorderSeries(Registry& registry, const RecorderOptions& options, const LiveReadings& live,
                 const Word* shards);
  /// As detach().
  ~RecorderSeries();
  RecorderSeries(const RecorderSeries&) = delete;
  RecorderSeries& operator=(const RecorderSeries&) = delete;

  /// Takes the shards and readings out; series that no other engine shows are gone. What is written
  /// to the shards from now on is seen by nobody. Idempotent.
  void detach();

  /// By any thread, also after detach().
  void set_load_ns(int64_t ns) noexcept { load_ns_.store(ns, std::memory_order_relaxed); }
  [[nodiscard]] RecorderNatives& natives() noexcept { return natives_; }
  /// Those of inference_latency_seconds.
  [[nodiscard]] ExemplarCells& exemplars() noexcept { return *exemplars_; }

 private:
  using Labels = std::initializer_list<std::string_view>;

  void attach_all(const RecorderOptions& options, const LiveReadings& live);
  void attach_triton(const RecorderOptions& options, const LiveReadings& live);
  // The series shows the cells at these offsets of every shard, added up.
  std::shared_ptr<Series> show(Metric metric, Labels labels, std::initializer_list<size_t> offsets);
  void attach(const std::shared_ptr<Series>& series, size_t shard, size_t offset);
  void show_reading(Metric metric, Labels labels, std::function<double()> reading);
  void show_constant(Metric metric, Labels labels, double value);

  const bool with_natives_;
  const size_t instances_;
  Registry& registry_;
  const Word* const shards_;
  std::vector<std::pair<std::shared_ptr<Series>, const Word*>> cells_;
  std::vector<std::pair<std::shared_ptr<Series>, uint64_t>> readings_;
  std::atomic<int64_t> load_ns_;
  RecorderNatives natives_;
  std::shared_ptr<ExemplarCells> exemplars_;
};

}  // namespace inferometer
