#include "telemetry/write/number.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "telemetry/write/put_text.h"

namespace inferometer {
namespace {

char* put_zeros(char* out, int count) noexcept {
  for (; count > 0; --count) *out++ = '0';
  return out;
}

// The shortest digits d1 d2 ... of a positive number d1.d2... * 10^exponent.
struct Digits {
  char digits[kMaxNumberChars];
  int count = 0;
  int exponent = 0;
};

Digits shortest_digits(double positive) noexcept {
  char text[kMaxNumberChars];
  const char* const end =
      std::to_chars(text, text + sizeof text, positive, std::chars_format::scientific).ptr;
  Digits result;
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at != '.') result.digits[result.count++] = *at;
  }
  const bool negative = at[1] == '-';
  std::from_chars(at + 2, end, result.exponent);
  if (negative) result.exponent = -result.exponent;
  return result;
}

char* put_scientific(char* out, const Digits& number) noexcept {
  *out++ = number.digits[0];
  if (number.count > 1) {
    *out++ = '.';
    out = put_text(out, {number.digits + 1, static_cast<size_t>(number.count - 1)});
  }
  *out++ = 'e';
  *out++ = number.exponent < 0 ? '-' : '+';
  const int magnitude = std::abs(number.exponent);
  if (magnitude < 10) *out++ = '0';
  return write_integer(out, magnitude);
}

char* put_fixed(char* out, const Digits& number) noexcept {
  const std::string_view digits(number.digits, static_cast<size_t>(number.count));
  const int before_point = number.exponent + 1;
  if (before_point <= 0) {
    out = put_zeros(put_text(out, "0."), -before_point);
    return put_text(out, digits);
  }
  if (before_point >= number.count) {
    out = put_zeros(put_text(out, digits), before_point - number.count);
    return put_text(out, ".0");
  }
  const auto split = static_cast<size_t>(before_point);
  out = put_text(out, digits.substr(0, split));
  *out++ = '.';
  return put_text(out, digits.substr(split));
}

}  // namespace

char* write_integer(char* out, int64_t value) noexcept {
  return std::to_chars(out, out + kMaxNumberChars, value).ptr;
}

char* write_float(char* out, double value) noexcept {
  // Most values are small whole numbers.
  constexpr double kExponentFrom = 1e6;
  if (value >= 1 && value < kExponentFrom && value == std::trunc(value)) {
    return put_text(write_integer(out, static_cast<int64_t>(value)), ".0");
  }
  if (std::isnan(value)) return put_text(out, "NaN");
  if (std::isinf(value)) return put_text(out, value > 0 ? "+Inf" : "-Inf");
  if (std::signbit(value)) *out++ = '-';
  if (value == 0) return put_text(out, "0.0");
  const Digits number = shortest_digits(std::abs(value));
  // Python's repr() changes to exponents at 1e16; prometheus_client brings that down to Go's 1e6,
  // but looks at positive numbers only.
  const int last_fixed = value > 0 ? 5 : 15;
  const bool scientific = number.exponent < -4 || number.exponent > last_fixed;
  return scientific ? put_scientific(out, number) : put_fixed(out, number);
}

char* write_seconds(char* out, int64_t ns) noexcept {
  constexpr uint64_t kNanosPerSecond = 1'000'000'000;
  uint64_t magnitude = static_cast<uint64_t>(ns);
  if (ns < 0) {
    *out++ = '-';
    magnitude = ~magnitude + 1;  // -ns, also of the smallest number
  }
  out = std::to_chars(out, out + kMaxNumberChars, magnitude / kNanosPerSecond).ptr;
  *out++ = '.';
  uint64_t fraction = magnitude % kNanosPerSecond;
  do {
    const uint64_t digit_unit = kNanosPerSecond / 10;
    *out++ = static_cast<char>('0' + fraction / digit_unit);
    fraction = fraction % digit_unit * 10;
  } while (fraction != 0);
  return out;
}

char* write_plain(char* out, double value) noexcept {
  constexpr double kSmallest = 1e-10;
  constexpr double kLargest = 1e20;
  const double magnitude = std::abs(value);
  if (!(magnitude >= kSmallest && magnitude <= kLargest)) return write_float(out, value);
  if (value < 0) *out++ = '-';
  return put_fixed(out, shortest_digits(magnitude));
}

char* write_number(char* out, const Number& number) noexcept {
  if (number.is_plain) return write_plain(out, number.real);
  return number.is_integer ? write_integer(out, number.integer) : write_float(out, number.real);
}

std::string float_text(double value) {
  char text[kMaxNumberChars];
  return {text, write_float(text, value)};
}

}  // namespace inferometer
