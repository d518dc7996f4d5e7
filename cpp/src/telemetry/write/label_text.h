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
[[nodiscard]] std::string label_text(std::span<const std::string> names,
                                     std::span<const std::string_view> values);
/// Appends one label to such a text.
void append_label(std::string& text, std::string_view name, std::string_view value);

/// Reads what label_text() wrote, label by label:
///
///     for (LabelReader labels(text); labels.next();) use(labels.name(), labels.value());
///
/// Single-owner.
class LabelReader {
 public:
  /// The text must outlive the reader.
  explicit LabelReader(std::string_view text) noexcept : rest_(text) {}

  /// Goes to the next label, the first one at first. False at the end.
  [[nodiscard]] bool next();
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// Not escaped; valid until next().
  [[nodiscard]] std::string_view value() const noexcept { return value_; }
  /// What next() has not read yet.
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::string unescaped_;  // what value_ refers to if something was escaped
};

}  // namespace inferometer
