// The rings of all series under one bound on memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "telemetry/catalogue.h"
#include "telemetry/record/history_ring.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Single-owner.
class HistoryRings {
 public:
  /// By label text.
  using Index = std::map<std::string, std::unique_ptr<HistoryRing>, std::less<>>;

  HistoryRings(size_t samples, size_t max_bytes) : samples_(samples), max_bytes_(max_bytes) {}

  /// The ring of a series, made at first use; null if there is no room for it.
  [[nodiscard]] HistoryRing* get(Metric metric, std::string_view labels, size_t width);
  /// The ring of a series, null if none is kept.
  [[nodiscard]] const HistoryRing* find(Metric metric, std::string_view label_text) const;
  [[nodiscard]] const Index& of(Metric metric) const noexcept {
    return index_[static_cast<size_t>(metric)];
  }
  /// Lets go of the rings that have nothing left at tick `now`.
  void forget(uint64_t now);

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }

 private:
  const size_t samples_;
  const size_t max_bytes_;
  std::array<Index, kMetricCount> index_;
  size_t size_ = 0;
  size_t bytes_ = 0;
};

}  // namespace inferometer
