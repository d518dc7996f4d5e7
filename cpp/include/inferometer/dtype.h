// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace inferometer {

enum class DType : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kFloat32,
  kFloat64,
};

/// Bytes of one element.
[[nodiscard]] size_t dtype_size(DType dtype) noexcept;
/// numpy's name: "bool", "uint8", ... "float64".
[[nodiscard]] std::string_view dtype_name(DType dtype) noexcept;
/// The type of a numpy name, or nothing if it is not supported.
[[nodiscard]] std::optional<DType> parse_dtype(std::string_view name) noexcept;

}  // namespace inferometer
