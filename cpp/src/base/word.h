// The unit of telemetry memory and the ways to write it. Nothing here allocates or locks.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

namespace inferometer {

/// One 64-bit cell: an integer (two's complement) or the bits of a double.
using Word = std::atomic<uint64_t>;
static_assert(Word::is_always_lock_free);

/// What stands in a word, in no order with other words.
[[nodiscard]] inline uint64_t load_relaxed(const Word& word) noexcept {
  return word.load(std::memory_order_relaxed);
}

/// Adds to a word that has a single writer: a plain load and store, no lock prefix. Relaxed:
/// readers (scrapes) need each word whole, not several words at one instant.
inline void add_single_writer(Word& word, uint64_t amount) noexcept {
  word.store(word.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

/// Adds to a word that any thread may write.
inline void add_shared(Word& word, uint64_t amount) noexcept {
  word.fetch_add(amount, std::memory_order_relaxed);
}

/// Adds to the double in a word that any thread may write.
inline void add_shared_double(Word& word, double amount) noexcept {
  uint64_t seen = word.load(std::memory_order_relaxed);
  while (!word.compare_exchange_weak(seen,
                                     std::bit_cast<uint64_t>(std::bit_cast<double>(seen) + amount),
                                     std::memory_order_relaxed, std::memory_order_relaxed)) {
  }
}

}  // namespace inferometer
