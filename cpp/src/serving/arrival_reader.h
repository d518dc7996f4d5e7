// Simulated requests one after the other, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "inferometer/simulation.h"

namespace inferometer {

/// Reads ahead in large pieces, because a source may have to enter Python. Single-owner.
class ArrivalReader {
 public:
  /// Groups and lengths are smaller than this.
  static constexpr int64_t kLimit = (int64_t{1} << 31) - 1;

  /// Without a source there are no arrivals, until there are more.
  ArrivalReader(std::unique_ptr<ArrivalSource> source, const Batching& batching, int64_t until_ns);

  /// More of them, after those that it has; none is before `from_ns`.
  void extend(std::unique_ptr<ArrivalSource> source, int64_t from_ns);

  /// When the next request arrives; kNever: there are no more. Throws ConfigError for one that is
  /// out of order or range, and what the source throws.
  [[nodiscard]] int64_t next_ns() {
    if (next_ == filled_) read();
    return next_ == filled_ ? kNever : ahead_[next_].at_ns;
  }
  /// That request. After next_ns() has said that there is one.
  const SimulatedArrival& take() noexcept { return ahead_[next_++]; }

 private:
  void read();
  void check(const SimulatedArrival& arrival);
  void check(const char* field, int64_t got, int64_t low, int64_t high) const;

  std::deque<std::unique_ptr<ArrivalSource>> sources_;  // the first is the one being read
  const int64_t max_rows_;
  const int64_t levels_;
  const int64_t until_ns_;
  std::vector<SimulatedArrival> ahead_;
  size_t next_ = 0;
  size_t filled_ = 0;
  uint64_t checked_ = 0;
  int64_t latest_ns_ = 0;
};

}  // namespace inferometer
