#include "telemetry/record/native_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

int32_t smallest_index(int schema) noexcept {
  return native_bucket_index(std::numeric_limits<double>::denorm_min(), schema);
}

size_t pages_for(int schema, size_t page_words) noexcept {
  const int32_t last = native_bucket_index(std::numeric_limits<double>::infinity(), schema);
  return static_cast<size_t>(last - smallest_index(schema)) / page_words + 1;
}

}  // namespace

void NativeReading::add(Buckets& buckets, int32_t index, uint64_t count) {
  const auto at = std::ranges::lower_bound(buckets, index, {}, &Buckets::value_type::first);
  if (at != buckets.end() && at->first == index) {
    at->second += count;
  } else {
    buckets.insert(at, {index, count});
  }
}

void NativeReading::halve(Buckets& buckets) {
  size_t kept = 0;
  for (const auto& [index, count] : buckets) {
    const int32_t parent = native_parent_index(index);
    if (kept > 0 && buckets[kept - 1].first == parent) {
      buckets[kept - 1].second += count;
    } else {
      buckets[kept++] = {parent, count};
    }
  }
  buckets.resize(kept);
}

void NativeReading::decide(std::span<uint64_t> cumulative) const noexcept {
  for (uint64_t& bucket : cumulative) bucket = std::min(bucket, count_);
  cumulative.back() = count_;
}

void NativeReading::limit_buckets(size_t max_buckets) {
  while (negative_.size() + positive_.size() > max_buckets && schema_ > kMinNativeSchema) {
    halve(negative_);
    halve(positive_);
    --schema_;
  }
}

NativeHistogramView NativeReading::view() const noexcept {
  return {schema_, kNativeZeroThreshold, zero_count_, negative_, positive_};
}

NativeCells::NativeCells(std::shared_ptr<Storage> storage, int schema)
    : storage_(std::move(storage)),
      schema_(schema),
      first_index_(smallest_index(schema)),
      pages_(pages_for(schema, kPageWords)) {
  Arena& arena = storage_->arena;
  words_ = arena.at(arena.allocate(kTablesAt + 2 * pages_));
}

NativeCells::~NativeCells() {
  Arena& arena = storage_->arena;
  for (size_t i = 0; i < 2 * pages_; ++i) {
    const uint64_t entry = load_relaxed(words_[kTablesAt + i]);
    if (entry != 0) arena.free(entry - 1, kPageWords);
  }
  arena.free(arena.offset_of(words_), kTablesAt + 2 * pages_);
}

void NativeCells::reserve(double low, double high) {
  const auto page_of = [this](double magnitude) {
    return static_cast<size_t>(native_bucket_index(magnitude, schema_) - first_index_) / kPageWords;
  };
  for (size_t page = page_of(low); page <= page_of(high); ++page) {
    Word& entry = words_[kTablesAt + page];
    if (load_relaxed(entry) == 0 && make_page(entry) == nullptr) {
      throw ConfigError("no room for the native buckets of a histogram");
    }
  }
}

Word* NativeCells::word_for(double value) noexcept {
  const double magnitude = std::abs(value);
  if (std::isnan(value)) return &words_[kNanAt];
  if (magnitude <= kNativeZeroThreshold) return &words_[kZeroAt];
  return bucket(value < 0, native_bucket_index(magnitude, schema_));
}

Word* NativeCells::bucket(bool negative, int32_t index) noexcept {
  const auto position = static_cast<size_t>(index - first_index_);
  const size_t page = position / kPageWords;
  Word& entry = words_[kTablesAt + (negative ? pages_ : 0) + page];
  // Acquire pairs with make_page()'s release: the page's words are zero by then.
  const uint64_t there = entry.load(std::memory_order_acquire);
  Word* words = there != 0 ? page_at(there) : make_page(entry);
  if (words == nullptr) return nearest(negative, page);
  return words + position % kPageWords;
}

Word* NativeCells::make_page(Word& entry) noexcept {
  Arena& arena = storage_->arena;
  uint64_t offset = 0;
  try {
    offset = arena.allocate(kPageWords);
  } catch (...) {
    return nullptr;
  }
  uint64_t there = 0;
  if (entry.compare_exchange_strong(there, offset + 1, std::memory_order_acq_rel)) {
    return arena.at(offset);
  }
  arena.free(offset, kPageWords);  // another thread was faster
  return page_at(there);
}

Word* NativeCells::nearest(bool negative, size_t page) noexcept {
  const Word* const table = words_ + kTablesAt + (negative ? pages_ : 0);
  for (size_t distance = 1; distance < pages_; ++distance) {
    if (page >= distance) {
      const uint64_t below = table[page - distance].load(std::memory_order_acquire);
      if (below != 0) return page_at(below) + kPageWords - 1;
    }
    if (page + distance < pages_) {
      const uint64_t above = table[page + distance].load(std::memory_order_acquire);
      if (above != 0) return page_at(above);
    }
  }
  return &words_[kZeroAt];
}

void NativeCells::read_into(NativeReading& reading) const {
  const uint64_t zeros = load_relaxed(words_[kZeroAt]);
  reading.zero_count_ += zeros;
  reading.count_ += zeros + load_relaxed(words_[kNanAt]);
  for (size_t i = 0; i < 2 * pages_; ++i) {
    const uint64_t entry = words_[kTablesAt + i].load(std::memory_order_acquire);
    if (entry == 0) continue;
    const Word* const page = page_at(entry);
    auto& buckets = i < pages_ ? reading.positive_ : reading.negative_;
    const auto first = first_index_ + static_cast<int32_t>(i % pages_ * kPageWords);
    for (size_t within = 0; within < kPageWords; ++within) {
      const uint64_t count = load_relaxed(page[within]);
      if (count == 0) continue;
      reading.count_ += count;
      NativeReading::add(buckets, first + static_cast<int32_t>(within), count);
    }
  }
}

void NativeCells::absorb(const NativeCells& other) noexcept {
  add_shared(words_[kZeroAt], load_relaxed(other.words_[kZeroAt]));
  add_shared(words_[kNanAt], load_relaxed(other.words_[kNanAt]));
  for (size_t i = 0; i < 2 * pages_; ++i) {
    const uint64_t entry = other.words_[kTablesAt + i].load(std::memory_order_acquire);
    if (entry == 0) continue;
    for (size_t within = 0; within < kPageWords; ++within) {
      const uint64_t count = load_relaxed(page_at(entry)[within]);
      if (count == 0) continue;
      const auto position = i % pages_ * kPageWords + within;
      add_shared(*bucket(i >= pages_, first_index_ + static_cast<int32_t>(position)), count);
    }
  }
}

}  // namespace inferometer
