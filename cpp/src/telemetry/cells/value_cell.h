// One series of a metric that inferometer.prometheus made: its numbers and its labels.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/word.h"
#include "telemetry/cells/cell_lock.h"

namespace inferometer {

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

/// The newest example of what a counter or bucket counts. `timestamp` is in seconds since the
/// epoch.
struct CellExemplar {
  LabelPairs labels;
  double value = 0;
  double timestamp = 0;
};

/// Upper bounds of a histogram, ascending, +Inf last, and how they are written.
struct CellBounds {
  std::vector<double> upper;
  std::vector<std::string> text;

  /// Adds +Inf if it is not there. Throws ConfigError unless the bounds ascend (equal neighbours
  /// are allowed, as in prometheus_client; NaN is not) and one is finite.
  [[nodiscard]] static std::shared_ptr<const CellBounds> of(std::vector<double> upper);
};

/// Label text in the order of the names, to be cut where a sample's own label (`le`) belongs.
struct CellLabels {
  std::string text;         ///< All of it, with a comma where it is cut.
  uint32_t cut = 0;         ///< Where the part after the own label begins.
  bool cut_inside = false;  ///< Whether a comma stands before the cut.

  [[nodiscard]] std::string_view before() const noexcept {
    return std::string_view(text).substr(0, cut_inside ? cut - 1 : cut);
  }
  [[nodiscard]] std::string_view after() const noexcept {
    return std::string_view(text).substr(cut);
  }

  /// `names` are not sorted; a name that comes twice counts with its last value.
  [[nodiscard]] static CellLabels of(std::span<const std::string> names,
                                     std::span<const std::string> values,
                                     std::string_view own_label);
};

/// The words of one series. What they mean depends on the family's type: a counter, gauge or state
/// set has `value`; a summary the sum in `value` and the count; a histogram the sum in `value` and
/// one count a bucket, not cumulative. `_count` of a histogram has no word of its own: it is the
/// sum of the buckets when read, so that it can never disagree with them. All numbers are relaxed
/// atomics: any thread may record, with or without the GIL. Thread-safe.
class ValueCell {
 public:
  /// `bounds` is null unless this is a histogram's.
  explicit ValueCell(CellLabels labels, std::shared_ptr<const CellBounds> bounds = nullptr);

  void add(double amount) noexcept { add_shared_double(value_, amount); }
  void set(double value) noexcept { store(value_, value); }
  /// A summary's observation.
  void observe(double value) noexcept {
    add_shared(count_, 1);
    add_shared_double(value_, value);
  }
  /// A histogram's observation. Returns the bucket that counts it; none for NaN, which (as in
  /// prometheus_client) makes the sum NaN and is counted nowhere.
  std::optional<size_t> observe_bucket(double value) noexcept;

  [[nodiscard]] double value() const noexcept { return load(value_); }
  [[nodiscard]] uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t bucket(size_t index) const noexcept {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] const CellBounds* bounds() const noexcept { return bounds_.get(); }
  [[nodiscard]] const CellLabels& labels() const noexcept { return labels_; }

  /// Seconds since the epoch.
  [[nodiscard]] double created() const noexcept { return load(created_); }
  void set_created(double timestamp) noexcept;
  /// created() as text, kept from its first setting: most numbers of a scrape are such times, and
  /// their 17 digits take longest to make. Empty after later settings.
  [[nodiscard]] std::string_view created_text() const noexcept {
    const bool kept = created_state_.load(std::memory_order_acquire) == CreatedState::kKept;
    return kept ? std::string_view(created_text_.data(), created_size_) : std::string_view();
  }

  /// Exemplars by bucket; a counter has one, at 0.
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

  // kKept is stored with release after the text was written, which is never written again.
  enum class CreatedState : uint8_t { kUnset, kBeingWritten, kKept, kNumberOnly };

  static double load(const Word& word) noexcept {
    return std::bit_cast<double>(word.load(std::memory_order_relaxed));
  }
  Rare& rare() REQUIRES(cells_mutex());
  static void store(Word& word, double value) noexcept {
    word.store(std::bit_cast<uint64_t>(value), std::memory_order_relaxed);
  }

  const CellLabels labels_;
  const std::shared_ptr<const CellBounds> bounds_;
  Word value_{0};
  Word count_{0};
  Word created_{0};
  const std::unique_ptr<Word[]> buckets_;  // one for each bound
  std::atomic<CreatedState> created_state_{CreatedState::kUnset};
  uint8_t created_size_ = 0;
  std::atomic<bool> has_exemplars_{false};  // release after the first set, acquire by readers
  std::array<char, 29> created_text_{};
  size_t slot_ GUARDED_BY(cells_mutex()) = 0;  // where its family keeps it
  std::unique_ptr<Rare> rare_ GUARDED_BY(cells_mutex());
};

}  // namespace inferometer
