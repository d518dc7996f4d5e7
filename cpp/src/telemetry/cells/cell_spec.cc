#include "telemetry/cells/cell_spec.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/non_finite.h"
#include "inferometer/errors.h"
#include "telemetry/write/number.h"

namespace inferometer {

std::shared_ptr<const CellBounds> CellBounds::of(std::vector<double> upper) {
  const bool comparable = std::ranges::none_of(upper, [](double x) { return std::isnan(x); });
  if (!comparable || !std::ranges::is_sorted(upper)) {
    throw ConfigError("Buckets not in sorted order");
  }
  if (!upper.empty() && upper.back() != kInfinity) upper.push_back(kInfinity);
  if (upper.size() < 2) throw ConfigError("Must have at least two buckets");
  auto result = std::make_shared<CellBounds>();
  for (const double bound : upper) result->text.push_back(float_text(bound));
  result->upper = std::move(upper);
  return result;
}

}  // namespace inferometer
