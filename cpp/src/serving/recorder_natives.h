// Native buckets of an engine's histograms, beside the words of its shards.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "telemetry/record/native_cells.h"
#include "telemetry/record/series.h"

namespace inferometer {

/// Cells of its own for each instance, and one more for callers, in each histogram that has native
/// buckets. Observing a histogram without costs a look at a pointer. attach() and detach() are
/// single-owner; the rest follows Recorder's rules. Stragglers may go on observing after detach().
class RecorderNatives {
 public:
  enum Which : uint8_t { kLatency, kQueue, kCompute, kBatchSize };

  /// Throws ConfigError if there is no room.
  void attach(Which which, std::shared_ptr<Series> series, size_t instances);
  /// False: observing does nothing.
  [[nodiscard]] bool any() const noexcept;
  /// Later observations are seen by nobody. Idempotent.
  void detach();

  /// Raw units: nanoseconds, or rows. By the instance's writer.
  void observe(Which which, size_t instance, int64_t value) noexcept {
    if (cells_[which].callers)
      cells_[which].instances[instance]->observe_single_writer(exposed(which, value));
  }
  /// By any thread.
  void observe_shared(Which which, int64_t value) noexcept {
    if (cells_[which].callers) cells_[which].callers->observe_shared(exposed(which, value));
  }

 private:
  struct Cells {
    std::shared_ptr<Series> series;  // until detach()
    std::vector<std::unique_ptr<NativeCells>> instances;
    std::unique_ptr<NativeCells> callers;  // null: the histogram has no native buckets
  };

  [[nodiscard]] static double exposed(Which which, int64_t value) noexcept {
    return which == kBatchSize ? static_cast<double>(value) : static_cast<double>(value) / 1e9;
  }

  std::array<Cells, 4> cells_;
};

}  // namespace inferometer
