#include "telemetry/record/label_values.h"

#include <algorithm>

#include "inferometer/errors.h"
#include "telemetry/record/names.h"

namespace inferometer {
namespace {

std::string quoted_list(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return "(" + text + ")";
}

}  // namespace

void check_label_count(std::string_view metric, std::span<const std::string> names,
                       LabelValues values) {
  if (values.size() == names.size()) return;
  throw ConfigError("metric \"" + std::string(metric) + "\": got " + std::to_string(values.size()) +
                    " label values, want " + std::to_string(names.size()) + " " +
                    quoted_list(names));
}

void check_label_values(std::string_view metric, std::span<const std::string> names,
                        LabelValues values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_utf8(values[i])) continue;
    throw ConfigError("metric \"" + std::string(metric) + "\": the value of label " + names[i] +
                      " is not UTF-8");
  }
}

std::optional<std::vector<std::string_view>> in_order_of(std::span<const std::string> wanted,
                                                         std::span<const std::string> names,
                                                         std::span<const std::string> values) {
  if (names.size() != wanted.size()) return std::nullopt;
  std::vector<std::string_view> ordered;
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    ordered.emplace_back(values[static_cast<size_t>(found - names.begin())]);
  }
  return ordered;
}

}  // namespace inferometer
