// Recording into the words of one stripe: the hot path. Nothing here locks, allocates or throws.
//
// A histogram's stripe is bounds.size() + 1 bucket words (not cumulative, +Inf last), then one word
// with the sum of the raw values. `_count` has no word: it is the sum of the buckets when read, so
// that it can never disagree with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/word.h"

namespace inferometer {

/// The bucket of `value`: the first whose bound is >= value (a value on a bound belongs to that
/// bucket, as `le` demands); bounds.size() (+Inf) beyond the last. `bounds` ascend.
///
/// Four bounds a step, so that few branches depend on the value: 3 ns with 21 bounds whether or not
/// values repeat themselves, where std::lower_bound takes 3 to 8 (recording_bench).
template <typename T>
[[nodiscard]] inline size_t bucket_index(std::span<const T> bounds, T value) noexcept {
  constexpr size_t kStep = 4;
  size_t start = 0;
  while (start + kStep <= bounds.size() && bounds[start + kStep - 1] < value) start += kStep;
  const size_t end = start + kStep <= bounds.size() ? start + kStep : bounds.size();
  size_t index = start;
  for (size_t i = start; i < end; ++i) index += static_cast<size_t>(bounds[i] < value);
  return index;
}

/// Records `value` in a stripe that only the calling thread writes.
inline void observe_single_writer(Word* stripe, std::span<const int64_t> bounds,
                                  int64_t value) noexcept {
  add_single_writer(stripe[bucket_index(bounds, value)], 1);
  add_single_writer(stripe[bounds.size() + 1], static_cast<uint64_t>(value));
}

/// Records `value` in a stripe that any thread may write.
inline void observe_shared(Word* stripe, std::span<const int64_t> bounds, int64_t value) noexcept {
  add_shared(stripe[bucket_index(bounds, value)], 1);
  add_shared(stripe[bounds.size() + 1], static_cast<uint64_t>(value));
}

}  // namespace inferometer
