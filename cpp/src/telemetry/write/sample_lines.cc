#include "telemetry/write/sample_lines.h"

#include <algorithm>
#include <utility>

#include "telemetry/write/number.h"
#include "telemetry/write/put_text.h"

namespace inferometer {

char* SampleLines::reserve(size_t bytes) {
  if (text_.size() - size_ < bytes) text_.resize(std::max(2 * text_.size(), size_ + bytes + 4096));
  return text_.data() + size_;
}

void SampleLines::append(std::string_view text) {
  (void)put_text(reserve(text.size()), text);
  size_ += text.size();
}

void SampleLines::begin_sample(std::string_view name, std::string_view suffix,
                               std::string_view labels, ExtraLabel extra) {
  constexpr size_t kPunctuation = 8;  // braces, quotes, comma, equals sign, space
  char* const start = reserve(name.size() + suffix.size() + labels.size() + extra.name.size() +
                              extra.value.size() + kPunctuation);
  char* out = put_text(put_text(start, name), suffix);
  if (!labels.empty() || !extra.name.empty()) {
    *out++ = '{';
    out = put_text(out, labels);
    if (!extra.name.empty()) {
      if (!labels.empty()) *out++ = ',';
      out = put_text(put_text(put_text(put_text(out, extra.name), "=\""), extra.value), "\"");
    }
    *out++ = '}';
  }
  *out++ = ' ';
  size_ += static_cast<size_t>(out - start);
}

void SampleLines::number(const Number& value) {
  char* const start = reserve(kMaxNumberChars);
  size_ += static_cast<size_t>(write_number(start, value) - start);
}

void SampleLines::milliseconds(int64_t timestamp_ms) {
  char* const start = reserve(kMaxNumberChars + 1);
  *start = ' ';
  size_ += static_cast<size_t>(write_integer(start + 1, timestamp_ms) - start);
}

void SampleLines::seconds(int64_t timestamp_ns) {
  char* const start = reserve(kMaxNumberChars);
  size_ += static_cast<size_t>(write_seconds(start, timestamp_ns) - start);
}

void SampleLines::end_line() {
  *reserve(1) = '\n';
  ++size_;
}

std::string SampleLines::text() && {
  text_.resize(size_);
  return std::move(text_);
}

}  // namespace inferometer
