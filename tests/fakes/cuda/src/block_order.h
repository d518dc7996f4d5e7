// The order in which the blocks of a grid run.
#pragma once

#include <bit>
#include <cstdint>

#include "random.h"

namespace inferometer::emulation {

/// Every number below `count` once, in an arbitrary order, without a list of them: a congruential
/// generator of full period over the next power of two, less what is too large. Single-owner.
class BlockOrder {
 public:
  BlockOrder(uint64_t count, Random& random)
      : count_(count),
        mask_(std::bit_ceil(count) - 1),
        factor_((random.next() & ~uint64_t{7}) + 5),
        increment_(random.next() | 1),
        current_(random.next() & mask_) {}

  uint64_t next() {
    do {
      current_ = (current_ * factor_ + increment_) & mask_;
    } while (current_ >= count_);
    return current_;
  }

 private:
  uint64_t count_;
  uint64_t mask_;
  uint64_t factor_;
  uint64_t increment_;
  uint64_t current_;
};

}  // namespace inferometer::emulation
