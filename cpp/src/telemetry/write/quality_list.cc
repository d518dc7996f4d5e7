#include "telemetry/write/quality_list.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <functional>
#include <system_error>

namespace inferometer {
namespace {

constexpr size_t kMaxAlternatives = 64;
constexpr size_t kMaxParameters = 16;

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_in_any_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Takes the part up to `separator` off the front of `text`; separators within quotes do not count.
std::string_view take_part(std::string_view& text, char separator) noexcept {
  bool quoted = false;
  size_t end = 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    if (quoted && c == '\\') {
      ++end;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      break;
    }
  }
  end = std::min(end, text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(part);
}

std::string_view unquoted(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

double parse_quality(std::string_view text) noexcept {
  double quality = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), quality, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  return quality >= 0 && std::isfinite(quality) ? std::min(quality, 1.0) : 0;
}

Alternative parse_alternative(std::string_view text) {
  Alternative alternative;
  alternative.value = take_part(text, ';');
  while (!text.empty() && alternative.parameters.size() < kMaxParameters) {
    std::string_view value = take_part(text, ';');
    const std::string_view name = take_part(value, '=');
    value = unquoted(trimmed(value));
    if (same_in_any_case(name, "q")) {
      alternative.quality = parse_quality(value);
    } else if (!name.empty()) {
      alternative.parameters.emplace_back(name, value);
    }
  }
  return alternative;
}

}  // namespace

std::string_view Alternative::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (same_in_any_case(key, name)) return value;
  }
  return {};
}

bool Alternative::is(std::string_view wanted) const noexcept {
  return same_in_any_case(value, wanted);
}

std::vector<Alternative> parse_quality_list(std::string_view header) {
  std::vector<Alternative> alternatives;
  while (!header.empty() && alternatives.size() < kMaxAlternatives) {
    const std::string_view part = take_part(header, ',');
    if (!part.empty()) alternatives.push_back(parse_alternative(part));
  }
  std::ranges::stable_sort(alternatives, std::ranges::greater(), &Alternative::quality);
  return alternatives;
}

}  // namespace inferometer
