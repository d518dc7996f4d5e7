// Arrivals for tests of simulations.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "inferometer/simulation.h"

namespace inferometer {

/// Gives out a list, at most `piece` arrivals a time. Single-owner.
class ListedArrivals final : public ArrivalSource {
 public:
  explicit ListedArrivals(std::vector<SimulatedArrival> arrivals, size_t piece = 1000)
      : arrivals_(std::move(arrivals)), piece_(piece) {}

  size_t read(std::span<SimulatedArrival> into) override {
    const size_t count = std::min({into.size(), piece_, arrivals_.size() - next_});
    std::copy_n(arrivals_.begin() + static_cast<std::ptrdiff_t>(next_), count, into.begin());
    next_ += count;
    return count;
  }

 private:
  const std::vector<SimulatedArrival> arrivals_;
  const size_t piece_;
  size_t next_ = 0;
};

}  // namespace inferometer
