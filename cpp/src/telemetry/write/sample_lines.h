// The lines that the text formats have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/write/sink.h"

namespace inferometer {

/// A label that a sample has beyond those of its series: `le` or `quantile`; none if the name is
/// empty.
struct ExtraLabel {
  std::string_view name;
  std::string_view value;
};

/// Collects lines in one string. A line is begun, continued and ended, each in one call.
/// Single-owner.
class SampleLines {
 public:
  /// Makes room for `expected_bytes` at once.
  explicit SampleLines(size_t expected_bytes = 0) { (void)reserve(expected_bytes); }

  void append(std::string_view text);
  /// `name` `suffix` {labels, extra} and a space, without the value.
  void begin_sample(std::string_view name, std::string_view suffix, std::string_view labels,
                    ExtraLabel extra);
  void number(const Number& value);
  /// A space and milliseconds, as the formats 0.0.4 and 1.0.0 want them.
  void milliseconds(int64_t timestamp_ms);
  /// Seconds with their fraction, never in exponents, as OpenMetrics wants times.
  void seconds(int64_t timestamp_ns);
  void end_line();

  [[nodiscard]] std::string text() &&;

 private:
  // Room for so many bytes at the end of what is written.
  [[nodiscard]] char* reserve(size_t bytes);

  std::string text_;  // written up to size_, the rest is room
  size_t size_ = 0;
};

}  // namespace inferometer
