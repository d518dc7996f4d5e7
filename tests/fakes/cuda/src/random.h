// Where the emulation's arbitrary orders come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace inferometer::emulation {

/// Splitmix64: quick, and the same everywhere for a seed. Single-owner.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31);
  }
  /// Less than `limit`, which is at least 1 and at most 2^32.
  uint64_t below(uint64_t limit) { return ((next() >> 32) * limit) >> 32; }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace inferometer::emulation
