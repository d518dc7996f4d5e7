#include "telemetry/write/label_text.h"

#include <cstddef>

namespace inferometer {
namespace {

// A plain loop: values are short, and labels() of a known series spends much of its time here.
template <typename IsSpecial>
void append_escaped(std::string& out, std::string_view text, IsSpecial is_special) {
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_special(text[i])) continue;
    out.append(text, start, i - start);
    out += '\\';
    out += text[i] == '\n' ? 'n' : text[i];
    start = i + 1;
  }
  out.append(text, start);
}

}  // namespace

void append_escaped_help(std::string& out, std::string_view text) {
  append_escaped(out, text, [](char c) { return c == '\\' || c == '\n'; });
}

void append_escaped_value(std::string& out, std::string_view text) {
  append_escaped(out, text, [](char c) { return c == '\\' || c == '\n' || c == '"'; });
}

void append_label(std::string& text, std::string_view name, std::string_view value) {
  if (!text.empty()) text += ',';
  text.append(name).append("=\"");
  append_escaped_value(text, value);
  text += '"';
}

std::string label_text(std::span<const std::string> names, std::span<const std::string> values) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) append_label(text, names[i], values[i]);
  return text;
}

std::string label_text(std::span<const std::string> names,
                       std::span<const std::string_view> values) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) append_label(text, names[i], values[i]);
  return text;
}

bool LabelReader::next() {
  if (rest_.empty()) return false;
  constexpr std::string_view kOpening = "=\"";
  const size_t equals = rest_.find('=');
  name_ = rest_.substr(0, equals);
  const size_t start = equals + kOpening.size();
  size_t end = rest_.find_first_of("\\\"", start);
  if (rest_[end] == '"') {
    value_ = rest_.substr(start, end - start);
  } else {
    unescaped_.assign(rest_, start, end - start);
    while (rest_[end] != '"') {
      const bool escaped = rest_[end] == '\\';
      if (escaped) ++end;
      unescaped_ += escaped && rest_[end] == 'n' ? '\n' : rest_[end];
      ++end;
    }
    value_ = unescaped_;
  }
  rest_.remove_prefix(end + 1);
  if (!rest_.empty()) rest_.remove_prefix(1);  // the comma
  return true;
}

}  // namespace inferometer
