// History: the near past of the catalogue's series, kept in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inferometer {

/// How much of the past a registry keeps. A value type.
struct HistoryOptions {
  double seconds = 900;            ///< How far back: a whole number of intervals, rounded up.
  double interval_seconds = 1;     ///< Time from sample to sample, 0.01 to 3600.
  int64_t max_bytes = 64LL << 20;  ///< Bound on the memory of all that is kept.

  [[nodiscard]] bool operator==(const HistoryOptions&) const = default;

  /// Samples that are kept at most. Throws ConfigError naming the option that is out of its range:
  /// `interval_seconds`; `seconds` (1 to 100,000 intervals); `max_bytes` (room for the times).
  [[nodiscard]] size_t samples() const;
};

/// One series, or all buckets of a histogram, over time; oldest first. A value type.
struct HistoryCurve {
  std::vector<double> times;   ///< Seconds since the epoch, by the wall clock.
  std::vector<double> values;  ///< `columns` a time; NaN where the series did not exist.
  size_t columns = 1;          ///< 1, or the number of buckets, in the order of their bounds.
};

/// What a history holds at present. A value type.
struct HistoryStats {
  HistoryOptions options;
  size_t samples = 0;   ///< Kept: options.samples() once it has run for that long.
  size_t series = 0;    ///< Kept, vanished ones included; a histogram is one.
  size_t left_out = 0;  ///< Series of the last sample for which max_bytes had no room.
  size_t lost = 0;      ///< Samples that the process had no memory for.
  size_t bytes = 0;     ///< In use, never above max_bytes.
};

}  // namespace inferometer
