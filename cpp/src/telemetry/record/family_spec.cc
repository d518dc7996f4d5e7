#include "telemetry/record/family_spec.h"

#include <utility>

#include "base/non_finite.h"
#include "telemetry/record/names.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

// Bounds as they are compared and shown, +Inf last.
void set_bounds(FamilySpec& spec, std::vector<double> bounds) {
  if (bounds.back() != kInfinity) bounds.push_back(kInfinity);
  for (const double bound : bounds) spec.le.push_back(float_text(bound));
  spec.bounds = std::move(bounds);
}

}  // namespace

FamilySpec FamilySpec::of(const MetricInfo& info) {
  FamilySpec spec;
  spec.name = info.name;
  spec.help = info.help;
  spec.unit_name = unit_of(base_name(info.name, info.type));
  spec.type = info.type;
  spec.unit = info.unit;
  spec.combine = info.combine;
  spec.label_names.assign(info.labels.begin(), info.labels.end());
  if (!info.bounds.empty()) {
    // Division, not multiplication with 1e-9: only the former is exact to the last digit.
    const double scale = info.unit == Unit::kNanoseconds   ? 1e9
                         : info.unit == Unit::kWholeMicros ? 1e3
                                                           : 1;
    std::vector<double> bounds;
    for (const int64_t bound : info.bounds) bounds.push_back(static_cast<double>(bound) / scale);
    set_bounds(spec, std::move(bounds));
  }
  return spec;
}

}  // namespace inferometer
