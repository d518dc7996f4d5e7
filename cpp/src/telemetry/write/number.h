// Numbers as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "telemetry/write/sink.h"

namespace inferometer {

/// Room that one number needs at most.
inline constexpr size_t kMaxNumberChars = 32;

/// Each writes at `out`, which must have room for kMaxNumberChars, and returns the end.
[[nodiscard]] char* write_integer(char* out, int64_t value) noexcept;
/// As prometheus_client's floatToGoString does: the shortest digits that read back as the same
/// double, "1.0", "2.5e-05", "1e+06", "+Inf", "NaN". Exponents start at 1e+06 for positive numbers
/// and at -1e+16 for negative ones, and below 1e-04.
[[nodiscard]] char* write_float(char* out, double value) noexcept;
/// Nanoseconds as seconds with all the fraction they have: "1700000000.25", "0.0", "-1.5".
[[nodiscard]] char* write_seconds(char* out, int64_t ns) noexcept;
/// The same without exponents where there is room: from 1e-10 to 1e20.
[[nodiscard]] char* write_plain(char* out, double value) noexcept;
[[nodiscard]] char* write_number(char* out, const Number& number) noexcept;

/// write_float() as a string; also the text of `le` and `quantile`.
[[nodiscard]] std::string float_text(double value);

}  // namespace inferometer
