// What kind of numbers a metric holds.
#pragma once

#include <cstdint>
#include <string_view>

namespace inferometer {

/// Prometheus' metric types. We make the first three; the others come from foreign collectors.
enum class MetricType : uint8_t { kCounter, kGauge, kHistogram, kSummary, kUntyped };

/// As the text formats write it: "counter", "gauge", ..., "untyped".
[[nodiscard]] constexpr std::string_view metric_type_name(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
    case MetricType::kUntyped:
      break;
  }
  return "untyped";
}

/// How the words of a series are read and printed.
enum class Unit : uint8_t {
  kOne,          ///< Integers, printed as plain decimals.
  kNanoseconds,  ///< Integer nanoseconds, printed as seconds.
  kWholeMicros,  ///< Integer nanoseconds, printed as whole microseconds.
  kFloat,        ///< The bits of doubles.
  kPlainFloat,   ///< The same, printed without exponents, which Triton's tools do not read.
};

}  // namespace inferometer
