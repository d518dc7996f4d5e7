// The newest exemplar of each bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/word.h"
#include "telemetry/record/storage.h"

namespace inferometer {

/// An exemplar's labels, by name and value.
using ExemplarLabels = std::span<const std::pair<std::string_view, std::string_view>>;

/// OpenMetrics' limit on the code points of an exemplar's label names and values together.
inline constexpr size_t kMaxExemplarCodePoints = 128;

/// Throws ConfigError for labels that an exemplar cannot have: names that are no label names or
/// come twice, values that are not UTF-8, more than 128 code points.
void check_exemplar(ExemplarLabels labels);

/// Throws ConfigError for a trace id that cannot be the value of an exemplar's label `trace_id`:
/// more than 120 code points, or no UTF-8.
void check_trace_id(std::string_view trace_id);

/// One exemplar as it was read. A value type.
struct ExemplarReading {
  std::string text;  // the labels as label_text() writes them; empty: there is none
  double value = 0;
  int64_t timestamp_ns = 0;
};

/// One slot a bucket. Writing takes no lock and allocates nothing: a writer that finds another one
/// in the slot leaves it to that one, whose exemplar is as new. A slot is written after its bucket
/// and read before it, so that an exemplar is never seen in an empty bucket. Thread-safe.
class ExemplarCells {
 public:
  /// Takes words from the storage's arena. Throws ConfigError if there is no room.
  ExemplarCells(std::shared_ptr<Storage> storage, size_t buckets);
  ~ExemplarCells();
  ExemplarCells(const ExemplarCells&) = delete;
  ExemplarCells& operator=(const ExemplarCells&) = delete;

  /// `labels` as check_exemplar() passes them.
  void set(size_t bucket, ExemplarLabels labels, double value, int64_t timestamp_ns) noexcept;
  /// The exemplar of a bucket; an empty reading if there is none, or one is being written all the
  /// time.
  [[nodiscard]] ExemplarReading read(size_t bucket) const;

 private:
  // A slot: a sequence number (odd while it is written), value, time, bytes of text, the text:
  // names and values, each with a \xff behind it. 128 code points are 512 bytes at most, and every
  // name has one code point at least.
  static constexpr size_t kMaxTextBytes = 4 * kMaxExemplarCodePoints + 2 * kMaxExemplarCodePoints;
  static constexpr size_t kHeadWords = 4;
  static constexpr size_t kSlotWords = kHeadWords + kMaxTextBytes / sizeof(Word);

  [[nodiscard]] Word* slot(size_t bucket) const noexcept { return words_ + bucket * kSlotWords; }

  const std::shared_ptr<Storage> storage_;
  const size_t buckets_;
  Word* words_ = nullptr;
};

}  // namespace inferometer
