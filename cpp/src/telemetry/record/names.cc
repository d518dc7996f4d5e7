#include "telemetry/record/names.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace inferometer {
namespace {

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What a family's samples add to its base name in one format or another; "" is the name itself.
std::span<const std::string_view> suffixes(MetricType type) noexcept {
  static constexpr std::string_view kCounter[] = {"", "_total", "_created"};
  static constexpr std::string_view kHistogram[] = {"", "_bucket", "_sum", "_count", "_created"};
  static constexpr std::string_view kSummary[] = {"", "_sum", "_count", "_created"};
  static constexpr std::string_view kPlain[] = {""};
  switch (type) {
    case MetricType::kCounter:
      return kCounter;
    case MetricType::kHistogram:
      return kHistogram;
    case MetricType::kSummary:
      return kSummary;
    case MetricType::kGauge:
    case MetricType::kUntyped:
      break;
  }
  return kPlain;
}

// Length of the UTF-8 sequence at the start of `text`, 0 if there is none.
size_t utf8_sequence(std::string_view text) noexcept {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // The second byte decides about overlong forms, surrogates and the end of Unicode.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

bool is_metric_name(std::string_view name) noexcept {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

bool is_label_name(std::string_view name) noexcept {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view without_total(std::string_view name) noexcept {
  constexpr std::string_view kTotal = "_total";
  if (name.size() > kTotal.size() && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  return name;
}

std::string_view base_name(std::string_view family, MetricType type) noexcept {
  return type == MetricType::kCounter ? without_total(family) : family;
}

std::string_view unit_of(std::string_view name) noexcept {
  // Prometheus' base units (and what Triton's names end with stays without one: _us and _secs are
  // no base units).
  constexpr std::array<std::string_view, 10> kUnits = {"seconds", "bytes",   "ratio", "joules",
                                                       "watts",   "celsius", "hertz", "meters",
                                                       "volts",   "amperes"};
  for (const std::string_view unit : kUnits) {
    if (name.size() > unit.size() && name.ends_with(unit) &&
        name[name.size() - unit.size() - 1] == '_') {
      return unit;
    }
  }
  return {};
}

const NameTable::Owner* NameTable::owner_of(std::string_view family, MetricType type) const {
  const std::string base(base_name(family, type));
  for (const std::string_view suffix : suffixes(type)) {
    const auto found = owners_.find(base + std::string(suffix));
    if (found != owners_.end()) return &found->second;
  }
  return nullptr;
}

void NameTable::add(std::string_view family, MetricType type) {
  const std::string base(base_name(family, type));
  for (const std::string_view suffix : suffixes(type)) {
    owners_.emplace(base + std::string(suffix), Owner{std::string(family), type});
  }
}

void NameTable::remove(std::string_view family, MetricType type) {
  const std::string base(base_name(family, type));
  for (const std::string_view suffix : suffixes(type)) owners_.erase(base + std::string(suffix));
}

}  // namespace inferometer
