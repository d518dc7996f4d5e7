// What recording costs, measured by timing some of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/word.h"
#include "inferometer/clock.h"

namespace inferometer {

/// Two clock reads cost 50 ns, more than recording a lone request, so small batches are timed now
/// and then and counted for the others: one of kSmallPeriod, drawn at random so that no pattern of
/// traffic falls into step with it. The expected total is right whatever the batches are: each
/// stretch counts as often as stretches like it happen, the clock reads themselves once.
///
/// A clock that stands still between two readings is a virtual one: nothing can be measured with
/// it, so nothing is.
///
/// Thread-safe: what changes is the writers' own.
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

  /// Recording for a batch of so many requests begins. `random` is the state of the writer's dice,
  /// which nobody else writes; whatever it starts from will do.
  [[nodiscard]] Stretch begin_batch(Word& random, size_t requests) const noexcept {
    if (requests >= kLargeBatch) return begin(1);
    const uint64_t drawn = random.load(std::memory_order_relaxed) * 6364136223846793005U +
                           1442695040888963407U;  // Knuth's MMIX
    random.store(drawn, std::memory_order_relaxed);
    constexpr int kTopBits = 60;
    static_assert(uint64_t{1} << (64 - kTopBits) == kSmallPeriod);
    return drawn >> kTopBits == 0 ? begin(kSmallPeriod) : Stretch{};
  }
  /// A stretch that stands for `weight` like it begins.
  [[nodiscard]] Stretch begin(uint64_t weight) const noexcept {
    return clock_cost_ns_ == 0 ? Stretch{} : Stretch{clock_.now_ns(), weight};
  }
  /// The stretch ends: the nanoseconds that it stands for. 0 if it was not timed.
  [[nodiscard]] uint64_t end(const Stretch& stretch) const noexcept;

 private:
  const Clock& clock_;
  // What one pair of reads measures of itself, about one read; 0 of a virtual clock.
  const int64_t clock_cost_ns_;
};

}  // namespace inferometer
