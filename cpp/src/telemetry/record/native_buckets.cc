#include "telemetry/record/native_buckets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace inferometer {
namespace {

constexpr int kMantissaBits = 52;
constexpr uint64_t kMantissaMask = (uint64_t{1} << kMantissaBits) - 1;
constexpr int kExponentBias = 1023;

// A positive finite number is 1.mantissa * 2^exponent.
struct Parts {
  uint64_t mantissa;
  int exponent;
};

Parts parts_of(double magnitude) noexcept {
  int scaled = 0;
  if (magnitude < std::numeric_limits<double>::min()) {  // subnormal
    magnitude *= 0x1p64;
    scaled = 64;
  }
  const auto bits = std::bit_cast<uint64_t>(magnitude);
  return {bits & kMantissaMask, static_cast<int>(bits >> kMantissaBits) - kExponentBias - scaled};
}

// 2^(k / 2^schema) in [1, 2), as the mantissa of the largest double that is not above it.
uint64_t bound(size_t k, int schema) noexcept {
  const long double exact = std::exp2(std::ldexp(static_cast<long double>(k), -schema));
  auto rounded = static_cast<double>(exact);
  if (static_cast<long double>(rounded) > exact) rounded = std::nextafter(rounded, 0.0);
  return std::bit_cast<uint64_t>(rounded) & kMantissaMask;
}

// All schemas' bounds, each computed once.
class Bounds {
 public:
  Bounds() {
    for (int schema = 1; schema <= kMaxNativeSchema; ++schema) {
      auto& bounds = by_schema_[static_cast<size_t>(schema)];
      for (size_t k = 0; k < size_t{1} << schema; ++k) bounds.push_back(bound(k, schema));
    }
  }
  [[nodiscard]] const std::vector<uint64_t>& of(int schema) const noexcept {
    return by_schema_[static_cast<size_t>(schema)];
  }

 private:
  std::array<std::vector<uint64_t>, kMaxNativeSchema + 1> by_schema_;
};

const Bounds& all_bounds() noexcept {
  static const Bounds bounds;
  return bounds;
}

// Schema 3 without a search: the four top bits of the mantissa leave one bound at most to compare
// with.
class OctaveTable {
 public:
  OctaveTable() {
    const std::vector<uint64_t>& bounds = all_bounds().of(3);
    for (size_t cell = 0; cell < kCells; ++cell) {
      const uint64_t first = cell << kShift;
      const auto not_below = std::ranges::lower_bound(bounds, first);
      base_[cell] = static_cast<int32_t>(not_below - bounds.begin());
      bound_[cell] = not_below != bounds.end() ? *not_below : kMantissaMask;
    }
  }
  [[nodiscard]] int32_t index(uint64_t mantissa) const noexcept {
    const size_t cell = mantissa >> kShift;
    return base_[cell] + static_cast<int32_t>(mantissa > bound_[cell]);
  }

 private:
  static constexpr size_t kCells = 16;
  static constexpr int kShift = kMantissaBits - 4;
  std::array<int32_t, kCells> base_{};
  std::array<uint64_t, kCells> bound_{};
};

const OctaveTable& octave_table() noexcept {
  static const OctaveTable table;
  return table;
}

}  // namespace

std::span<const uint64_t> native_bounds(int schema) noexcept { return all_bounds().of(schema); }

int32_t native_bucket_index(double magnitude, int schema) noexcept {
  if (std::isinf(magnitude)) {
    return native_bucket_index(std::numeric_limits<double>::max(), schema) + 1;
  }
  const Parts parts = parts_of(magnitude);
  if (schema == kDefaultNativeSchema) {
    return parts.exponent * 8 + octave_table().index(parts.mantissa);
  }
  if (schema > 0) {
    const std::vector<uint64_t>& bounds = all_bounds().of(schema);
    const auto within = std::ranges::lower_bound(bounds, parts.mantissa) - bounds.begin();
    return parts.exponent * (1 << schema) + static_cast<int32_t>(within);
  }
  // The smallest i with magnitude <= 2^(i * 2^-schema).
  const int power = parts.exponent + static_cast<int>(parts.mantissa != 0);
  return -((-power) >> -schema);
}

}  // namespace inferometer
