#include "telemetry/write/label_text.h"

#include <algorithm>
#include <cstddef>

namespace inferometer {
namespace {

void append_escaped(std::string& out, std::string_view text, std::string_view special) {
  while (!text.empty()) {
    const size_t plain = std::min(text.find_first_of(special), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    out += '\\';
    out += text.front() == '\n' ? 'n' : text.front();
    text.remove_prefix(1);
  }
}

}  // namespace

void append_escaped_help(std::string& out, std::string_view text) {
  append_escaped(out, text, "\\\n");
}

void append_escaped_value(std::string& out, std::string_view text) {
  append_escaped(out, text, "\\\n\"");
}

std::string label_text(std::span<const std::string> names, std::span<const std::string> values) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += ',';
    text += names[i];
    text += "=\"";
    append_escaped_value(text, values[i]);
    text += '"';
  }
  return text;
}

}  // namespace inferometer
