// What recording costs, measured by timing some of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inferometer/clock.h"

namespace inferometer {

/// Two clock reads cost 50 ns, more than recording a lone request, so small batches are timed now
/// and then and counted for the others: one of kSmallPeriod, drawn at random so that no pattern of
/// traffic falls into step with it. The expected total is right whatever the batches are: each
/// stretch counts as often as stretches like it happen, the clock reads themselves once.
///
/// begin_batch() belongs to one thread at a time; the rest is const-safe.
class OwnTime {
 public:
  /// Batches of at least so many requests are all timed: the clock costs each request 1 ns.
  static constexpr size_t kLargeBatch = 64;
  static constexpr uint64_t kSmallPeriod = 16;

  /// A stretch of recording; without a weight it is not timed.
  struct Stretch {
    int64_t since_ns = 0;
    uint64_t weight = 0;
  };

  explicit OwnTime(const Clock& clock);

  /// Recording for a batch of so many requests begins.
  [[nodiscard]] Stretch begin_batch(size_t requests) noexcept {
    if (requests >= kLargeBatch) return begin(1);
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    constexpr int kTopBits = 60;
    static_assert(uint64_t{1} << (64 - kTopBits) == kSmallPeriod);
    return random_ >> kTopBits == 0 ? begin(kSmallPeriod) : Stretch{};
  }
  /// A stretch that stands for `weight` like it begins.
  [[nodiscard]] Stretch begin(uint64_t weight) const noexcept { return {clock_.now_ns(), weight}; }
  /// The stretch ends: the nanoseconds that it stands for. 0 if it was not timed.
  [[nodiscard]] uint64_t end(const Stretch& stretch) const noexcept;

 private:
  // Begins a cache line, for it is written all the time while others read what lies around us.
  alignas(64) uint64_t random_ = 1;
  const Clock& clock_;
  const int64_t clock_cost_ns_;  // what one pair of reads measures of itself, about one read
};

}  // namespace inferometer
