#include "serving/padding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace inferometer {
namespace {

using Element = std::array<std::byte, 8>;

template <typename T>
Element bytes_of(T value) {
  Element element{};
  std::memcpy(element.data(), &value, sizeof(value));
  return element;
}

template <typename T>
Element integer(double value) {
  constexpr auto kLowest = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr auto kHighest = static_cast<double>(std::numeric_limits<T>::max());
  if (std::isnan(value)) return bytes_of(T{0});
  const double rounded = std::nearbyint(value);
  // The highest of 64 bits is not a double: the next above it is, and must not be converted.
  if (rounded >= kHighest) return bytes_of(std::numeric_limits<T>::max());
  return bytes_of(static_cast<T>(std::max(rounded, kLowest)));
}

// IEEE 754 binary16, rounded to nearest even.
uint16_t half(double value) {
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const double size = std::fabs(value);
  if (std::isnan(value)) return 0x7e00;
  constexpr double kBeyond = 65520;  // from here on the nearest is infinity
  if (size >= kBeyond) return sign | 0x7c00;
  constexpr int kFraction = 10;
  constexpr int kLowestExponent = -14;
  const int exponent = size > 0 ? std::max(std::ilogb(size), kLowestExponent) : kLowestExponent;
  // Units in the last place; a carry out of the fraction lands in the exponent, as it should.
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(size, kFraction - exponent)));
  return static_cast<uint16_t>(sign | (((exponent - kLowestExponent) << kFraction) + units));
}

Element element_of(DType dtype, double value) {
  switch (dtype) {
    case DType::kBool:
      return bytes_of(static_cast<uint8_t>(value != 0 ? 1 : 0));
    case DType::kUint8:
      return integer<uint8_t>(value);
    case DType::kUint16:
      return integer<uint16_t>(value);
    case DType::kUint32:
      return integer<uint32_t>(value);
    case DType::kUint64:
      return integer<uint64_t>(value);
    case DType::kInt8:
      return integer<int8_t>(value);
    case DType::kInt16:
      return integer<int16_t>(value);
    case DType::kInt32:
      return integer<int32_t>(value);
    case DType::kInt64:
      return integer<int64_t>(value);
    case DType::kFloat16:
      return bytes_of(half(value));
    case DType::kFloat32:
      return bytes_of(static_cast<float>(value));
    case DType::kFloat64:
      return bytes_of(value);
  }
  return {};
}

void fill(std::byte* to, size_t bytes, const Element& element, size_t size) {
  for (size_t at = 0; at < bytes; at += size) std::memcpy(to + at, element.data(), size);
}

}  // namespace

void copy_along(size_t axis, const TensorView& from, const MutableTensorView& to, double value) {
  const size_t size = dtype_size(to.dtype);
  const size_t step = static_cast<size_t>(to.shape.tail(axis + 1).elements()) * size;
  const size_t from_bytes = static_cast<size_t>(from.shape[axis]) * step;
  const size_t to_bytes = static_cast<size_t>(to.shape[axis]) * step;
  const size_t copied = std::min(from_bytes, to_bytes);
  size_t blocks = 1;
  for (size_t i = 0; i < axis; ++i) blocks *= static_cast<size_t>(to.shape[i]);
  const Element element = element_of(to.dtype, value);
  for (size_t block = 0; block < blocks; ++block) {
    std::byte* const into = to.data + block * to_bytes;
    if (copied > 0) std::memcpy(into, from.data + block * from_bytes, copied);
    fill(into + copied, to_bytes - copied, element, size);
  }
}

}  // namespace inferometer
