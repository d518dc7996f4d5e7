// One series of an application's metric: its numbers and its labels.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/word.h"
#include "telemetry/cells/cell_lock.h"
#include "telemetry/cells/cell_spec.h"
#include "telemetry/cells/compact_text.h"
#include "telemetry/record/native_cells.h"

namespace inferometer {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

/// The newest example of what a counter or bucket counts. `timestamp` is in seconds since the
/// epoch.
struct CellExemplar {
  LabelPairs labels;
  double value = 0;
  double timestamp = 0;
};

/// The words of one series. What they mean depends on the type: a counter, gauge or state set has
/// value(); a summary the sum in value() and the count; a histogram the sum in value() and one
/// count a bucket, not cumulative. `_count` of a histogram has no word of its own: it is the sum of
/// the buckets when read, so that it can never disagree with them. All numbers are relaxed atomics:
/// any thread may record, with or without the GIL.
///
/// Kept small, because there may be very many: a counter takes 88 bytes and the text of its labels.
/// Thread-safe.
class ValueCell {
 public:
  /// Throws ConfigError if the storage has no room for native buckets that the spec wants.
  ValueCell(std::shared_ptr<const CellSpec> spec, std::string_view labels,
            const std::shared_ptr<Storage>& storage);

  void add(double amount) noexcept { add_shared_double(value_, amount); }
  void set(double value) noexcept { store(value_, value); }
  /// A summary's observation.
  void observe(double value) noexcept {
    add_shared(words_[0], 1);
    add_shared_double(value_, value);
  }
  /// The bucket that a histogram counts `value` in: the first whose bound is not below it, and the
  /// last one for NaN.
  [[nodiscard]] size_t bucket_of(double value) const noexcept;
  /// A histogram's observation; `bucket` is bucket_of(value).
  void observe_in(size_t bucket, double value) noexcept {
    add_shared(words_[bucket], 1);
    if (native_ != nullptr) native_->observe_shared(value);
    add_shared_double(value_, value);
  }

  [[nodiscard]] double value() const noexcept { return load(value_); }
  /// A summary's.
  [[nodiscard]] uint64_t count() const noexcept { return bucket(0); }
  [[nodiscard]] uint64_t bucket(size_t index) const noexcept {
    return words_[index].load(std::memory_order_relaxed);
  }
  /// Null if there are none.
  [[nodiscard]] const NativeCells* native() const noexcept { return native_.get(); }
  [[nodiscard]] const CellSpec& spec() const noexcept { return *spec_; }
  /// As label_text() writes them.
  [[nodiscard]] std::string_view labels() const noexcept { return labels_.view(); }

  /// Seconds since the epoch; when the cell was made, unless it was set.
  [[nodiscard]] double created() const noexcept { return load(created_); }
  void set_created(double timestamp) noexcept { store(created_, timestamp); }

  /// Exemplars by bucket; a counter has one, at 0. Throws std::out_of_range.
  void set_exemplar(size_t index, CellExemplar exemplar) EXCLUDES(cells_mutex());
  [[nodiscard]] std::optional<CellExemplar> exemplar(size_t index) const EXCLUDES(cells_mutex());
  [[nodiscard]] bool has_exemplars() const noexcept {
    return has_exemplars_.load(std::memory_order_acquire);
  }

  /// The labels that are the value of an info metric.
  void set_info(LabelPairs labels) EXCLUDES(cells_mutex());
  [[nodiscard]] LabelPairs info() const EXCLUDES(cells_mutex());

 private:
  friend class CellFamily;

  // What few cells have.
  struct Rare {
    std::vector<std::optional<CellExemplar>> exemplars;
    LabelPairs info;
  };

  static double load(const Word& word) noexcept {
    return std::bit_cast<double>(word.load(std::memory_order_relaxed));
  }
  static void store(Word& word, double value) noexcept {
    word.store(std::bit_cast<uint64_t>(value), std::memory_order_relaxed);
  }
  Rare& rare() REQUIRES(cells_mutex());

  const std::shared_ptr<const CellSpec> spec_;
  const CompactText labels_;
  Word value_{0};
  Word created_{0};
  const std::unique_ptr<Word[]> words_;  // a histogram's buckets, a summary's count
  const std::unique_ptr<NativeCells> native_;
  std::unique_ptr<Rare> rare_ GUARDED_BY(cells_mutex());
  uint32_t slot_ GUARDED_BY(cells_mutex()) = 0;  // where its family keeps it
  std::atomic<bool> has_exemplars_{false};       // release after the first set, acquire by readers
};

}  // namespace inferometer
