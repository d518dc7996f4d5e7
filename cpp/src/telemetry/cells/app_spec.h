// What Registry::counter(), gauge() and histogram() accept.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/cells/cell_spec.h"

namespace inferometer {

/// `buckets` is for histograms. Throws ConfigError for an invalid name, label name or bucket and
/// for text that is not UTF-8 (see Registry).
[[nodiscard]] CellSpec app_spec(CellType type, std::string_view name, std::string_view help,
                                const std::vector<std::string>& label_names,
                                std::span<const double> buckets);

}  // namespace inferometer
