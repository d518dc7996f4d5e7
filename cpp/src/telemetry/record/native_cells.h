// The cells of a native histogram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/word.h"
#include "telemetry/record/native_buckets.h"
#include "telemetry/record/storage.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Prometheus servers limit the buckets of a histogram, commonly to 160; beyond it we halve the
/// resolution.
inline constexpr size_t kMaxNativeBuckets = 160;

/// Observations of one or more NativeCells, added up. Single-owner.
class NativeReading {
 public:
  explicit NativeReading(int schema) : schema_(schema) {}

  /// Observations so far, those that are NaN included.
  [[nodiscard]] uint64_t count() const noexcept { return count_; }
  /// Lowers cumulative classic counts to those of the native buckets, which decide about the count:
  /// an observation that is being recorded may be in one and not in the other yet. (The smaller of
  /// two numbers that never fall never falls.)
  void decide(std::span<uint64_t> cumulative) const noexcept;
  /// Halves the resolution until there are at most `max_buckets`, or it cannot get coarser. Buckets
  /// only ever fill, so the schema of a series never rises.
  void limit_buckets(size_t max_buckets);
  /// Valid until the reading changes.
  [[nodiscard]] NativeHistogramView view() const noexcept;

 private:
  friend class NativeCells;
  using Buckets = std::vector<std::pair<int32_t, uint64_t>>;  // ascending

  static void add(Buckets& buckets, int32_t index, uint64_t count);
  static void halve(Buckets& buckets);

  int schema_;
  uint64_t count_ = 0;
  uint64_t zero_count_ = 0;
  Buckets negative_;
  Buckets positive_;
};

/// Exponential buckets in pages of 256, of which a page is made when a value falls into it (32
/// powers of two at schema 3): a histogram holds 2 to 6 kB, whatever its values, and nothing has to
/// be known about them beforehand. Recording takes no lock; it allocates only when it enters a
/// page, and not at all within what reserve() covered. With the arena full, values are counted in
/// the nearest bucket that there is. Thread-safe, except that a single writer means one.
class NativeCells {
 public:
  /// Takes words from the storage's arena. Throws ConfigError if there is no room.
  NativeCells(std::shared_ptr<Storage> storage, int schema);
  ~NativeCells();
  NativeCells(const NativeCells&) = delete;
  NativeCells& operator=(const NativeCells&) = delete;

  [[nodiscard]] int schema() const noexcept { return schema_; }

  /// Makes the pages for magnitudes from `low` to `high`. Throws ConfigError if there is no room.
  void reserve(double low, double high);

  void observe_single_writer(double value) noexcept { add_single_writer(*word_for(value), 1); }
  void observe_shared(double value) noexcept { add_shared(*word_for(value), 1); }

  /// Adds what was counted so far. The same schema as the reading's.
  void read_into(NativeReading& reading) const;
  /// Adds what `other` counted, whose writers have stopped. The same schema.
  void absorb(const NativeCells& other) noexcept;

 private:
  static constexpr size_t kPageWords = 256;
  // The words before the tables of pages.
  static constexpr size_t kZeroAt = 0;
  static constexpr size_t kNanAt = 1;
  static constexpr size_t kTablesAt = 8;
  // A table's entry: the offset of a page in the arena plus one, 0 for none.

  [[nodiscard]] Word* word_for(double value) noexcept;
  [[nodiscard]] Word* bucket(bool negative, int32_t index) noexcept;
  [[nodiscard]] Word* make_page(Word& entry) noexcept;
  [[nodiscard]] Word* nearest(bool negative, size_t page) noexcept;
  [[nodiscard]] Word* page_at(uint64_t entry) const noexcept {
    return storage_->arena.at(entry - 1);
  }

  const std::shared_ptr<Storage> storage_;
  const int schema_;
  const int32_t first_index_;  // of the smallest positive number
  const size_t pages_;         // of one sign
  Word* words_ = nullptr;      // zero, NaN, then the tables: positive, negative
};

}  // namespace inferometer
