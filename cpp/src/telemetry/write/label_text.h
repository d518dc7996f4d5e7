// Labels as the text formats write them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace inferometer {

/// Appends `text` with backslash and newline escaped, as HELP lines want it.
void append_escaped_help(std::string& out, std::string_view text);
/// The same with double quotes escaped too, as label values want it, and OpenMetrics' HELP.
void append_escaped_value(std::string& out, std::string_view text);
/// `a="x",b="y"`, with backslash, newline and double quote escaped in the values.
[[nodiscard]] std::string label_text(std::span<const std::string> names,
                                     std::span<const std::string> values);

}  // namespace inferometer
