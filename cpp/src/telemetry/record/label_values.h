// The label values that a series is asked for by.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer {

/// One for each label name of a family, in the order of the names. Not checked.
using LabelValues = std::span<const std::string_view>;

/// Throws ConfigError unless there are as many values as names.
void check_label_count(std::string_view metric, std::span<const std::string> names,
                       LabelValues values);
/// Throws ConfigError for a value that is not UTF-8.
void check_label_values(std::string_view metric, std::span<const std::string> names,
                        LabelValues values);
/// `values`, which belong to `names`, in the order of `wanted`; nothing unless they are the same
/// names.
[[nodiscard]] std::optional<std::vector<std::string_view>> in_order_of(
    std::span<const std::string> wanted, std::span<const std::string> names,
    std::span<const std::string> values);

}  // namespace inferometer
