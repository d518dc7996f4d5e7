// The bounds of Prometheus' native (exponential) histograms: bucket i of schema s counts values in
// (base^(i-1), base^i] with base = 2^(2^-s). Negative values have buckets of their own, by absolute
// value. (prometheus.io, "Native Histograms", section "Exponential bucketing".)
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace inferometer {

/// Factors between bounds from 65,536 (schema -4) to 1.0027 (schema 8).
inline constexpr int kMinNativeSchema = -4;
inline constexpr int kMaxNativeSchema = 8;
/// Factor 1.09: a quantile is known within 9 %.
inline constexpr int kDefaultNativeSchema = 3;
/// Absolute values up to this are counted in the zero bucket.
inline constexpr double kNativeZeroThreshold = 0x1p-128;

/// The upper bounds within one power of two of a schema > 0, scaled to [0.5, 1): the mantissa of
/// each, without the leading bit, rounded down, so that a double is in a bucket exactly if it is
/// less than or equal to the real bound.
[[nodiscard]] std::span<const uint64_t> native_bounds(int schema) noexcept;

/// The bucket of `magnitude`, which is positive and not NaN; +Inf goes to the bucket above the
/// largest finite number's.
[[nodiscard]] int32_t native_bucket_index(double magnitude, int schema) noexcept;

/// The bucket of schema - 1 that holds bucket `index` of any schema.
[[nodiscard]] constexpr int32_t native_parent_index(int32_t index) noexcept {
  return (index + 1) >> 1;  // rounds up, also below zero
}

}  // namespace inferometer
