// One time series of the catalogue: a family with one set of label values.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/word.h"
#include "telemetry/record/exemplar_cells.h"
#include "telemetry/record/family_spec.h"
#include "telemetry/record/native_cells.h"
#include "telemetry/record/storage.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// The value of a series is what its own base words hold, plus every attached stripe (words that
/// somebody else owns and writes, say an engine's shard), plus every attached reader (a value
/// computed when read). Families that combine by maximum take the largest part instead. Words may
/// be attached to several series, which are then views on the same counts: written once, shown
/// under several names, in several units, or added up with others.
///
/// What a reading promises: buckets and counters never fall from one reading to the next, and
/// `_count` equals the sum of the buckets because it is computed from them. `_sum` may be ahead or
/// behind by the observations that are being recorded at that moment; it is exact (in integers)
/// once they are done, and never falls while observations are not negative.
///
/// Lifetime: keeps its memory alive, also after its removal from the registry. Recorders hold it
/// while they live; stripes and readers are detached before their memory, or the last handle, goes.
/// Thread-safe.
class Series {
 public:
  /// Takes zeroed words from the storage's arena. `labels` as label_text() writes them.
  /// `native_schema`: gives a histogram native
  /// buckets. Throws ConfigError if there is no room.
  Series(std::shared_ptr<Storage> storage, std::shared_ptr<const FamilySpec> spec,
         std::string labels, std::optional<int> native_schema = std::nullopt);
  ~Series();
  Series(const Series&) = delete;
  Series& operator=(const Series&) = delete;

  /// Adds a stripe of stripe_words(metric) words to the value.
  void attach(const Word* stripe);
  /// Takes it out again. What counters and histograms counted in it moves into the base words, so
  /// that they do not fall; what a gauge held there is dropped. The owner must have stopped
  /// writing: later writes are not seen. A stripe that is not attached is ignored.
  void detach(const Word* stripe);

  /// The native buckets of a histogram that has them, else null. Any thread may record into them.
  [[nodiscard]] NativeCells* native() const noexcept { return native_.get(); }
  /// Native buckets for one writer, as attach() for words: null if the series has none. Throws
  /// ConfigError if there is no room.
  [[nodiscard]] std::unique_ptr<NativeCells> attach_native();
  /// Takes them out again; what they counted moves into native(). Later observations are not seen.
  void detach_native(const NativeCells& cells);

  /// The exemplars, one slot a bucket (one for a counter), made at the first call. Throws
  /// ConfigError if there is no room.
  [[nodiscard]] std::shared_ptr<ExemplarCells> exemplars();

  /// Adds a value computed when read, in the exposed unit (seconds, not nanoseconds); counters and
  /// gauges only. It is called under the registry's lock: it must not block, not call the registry
  /// and never touch Python. One that throws contributes nothing. Returns an id to detach it with;
  /// once detach_reader() has returned it is not called again.
  uint64_t attach_reader(std::function<double()> reader);
  void detach_reader(uint64_t id);

  /// The base words, laid out as a stripe. Any thread may add to them (add_shared, observe_shared).
  [[nodiscard]] Word* base() const noexcept { return base_; }

  [[nodiscard]] const FamilySpec& spec() const noexcept { return *spec_; }
  [[nodiscard]] std::string_view labels() const noexcept { return label_text_; }
  [[nodiscard]] const SeriesView& view() const noexcept { return view_; }

  /// The present value of a counter or gauge.
  [[nodiscard]] Number read() const;
  /// The same for a caller that holds the storage's lock.
  [[nodiscard]] Number read_locked() const REQUIRES(storage_->mutex);
  /// Fills `cumulative` (bounds + 1 of them) and returns the sum, in the exposed unit. Of a
  /// histogram with native buckets those are read into `native`, and decide about the count: an
  /// observation that is being recorded may be in them and not in a classic bucket yet.
  [[nodiscard]] Number read_histogram_locked(std::span<uint64_t> cumulative,
                                             NativeReading* native = nullptr) const
      REQUIRES(storage_->mutex);
  /// What exemplars() has, in the order of the buckets; empty if it was never called.
  [[nodiscard]] std::vector<ExemplarReading> read_exemplars() const;

 private:
  [[nodiscard]] Number read_sum_locked(size_t index) const REQUIRES(storage_->mutex);
  [[nodiscard]] int64_t read_integer_locked() const REQUIRES(storage_->mutex);
  [[nodiscard]] double read_readers_locked() const REQUIRES(storage_->mutex);
  // Word `index` of the base and of all stripes, added up.
  [[nodiscard]] uint64_t total_locked(size_t index) const REQUIRES(storage_->mutex);

  // Constant after construction.
  Word* base_ = nullptr;
  SeriesView view_;
  const std::string label_text_;
  const std::shared_ptr<const FamilySpec> spec_;
  const std::shared_ptr<Storage> storage_;
  std::unique_ptr<NativeCells> native_;

  // Set once, under the lock.
  std::atomic<bool> has_exemplars_{false};
  std::shared_ptr<ExemplarCells> exemplars_;

  std::vector<const NativeCells*> natives_ GUARDED_BY(storage_->mutex);
  std::vector<const Word*> stripes_ GUARDED_BY(storage_->mutex);
  std::vector<std::pair<uint64_t, std::function<double()>>> readers_ GUARDED_BY(storage_->mutex);
  uint64_t next_reader_ GUARDED_BY(storage_->mutex) = 1;
};

}  // namespace inferometer
