// Fields of protobuf's wire format, appended to a message. (protobuf.dev, "Encoding".)
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace inferometer::protobuf {

inline void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

/// Signed numbers that are small on both sides of zero.
[[nodiscard]] constexpr uint64_t zigzag(int64_t value) noexcept {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2 };

inline void append_tag(std::string& out, int field, WireType type) {
  append_varint(out, static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type));
}

inline void append_uint(std::string& out, int field, uint64_t value) {
  append_tag(out, field, WireType::kVarint);
  append_varint(out, value);
}

inline void append_sint(std::string& out, int field, int64_t value) {
  append_uint(out, field, zigzag(value));
}

inline void append_double(std::string& out, int field, double value) {
  append_tag(out, field, WireType::kFixed64);
  const auto bits = std::bit_cast<uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift & 0xFF);
}

/// Strings and messages.
inline void append_bytes(std::string& out, int field, std::string_view bytes) {
  append_tag(out, field, WireType::kLengthDelimited);
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace inferometer::protobuf
