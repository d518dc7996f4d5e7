#include "telemetry/record/family_spec.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "inferometer/errors.h"
#include "telemetry/record/names.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Bounds as they are compared and shown, +Inf last.
void set_bounds(FamilySpec& spec, std::vector<double> bounds) {
  if (bounds.back() != kInfinity) bounds.push_back(kInfinity);
  for (const double bound : bounds) spec.le.push_back(float_text(bound));
  spec.bounds = std::move(bounds);
}

void check_label_names(const std::string& metric, const std::vector<std::string>& names) {
  const auto want = [&metric](bool good, const std::string& name, const char* wanted) {
    if (good) return;
    throw ConfigError("metric \"" + metric + "\": got label name \"" + name + "\", want " + wanted);
  };
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    want(is_label_name(name), name, "[a-zA-Z_][a-zA-Z0-9_]*");
    want(!name.starts_with("__"), name, "one that does not begin with __");
    want(name != "le" && name != "quantile", name,
         "another: it belongs to histograms and summaries");
    want(seen.insert(name).second, name, "each once");
  }
}

std::vector<double> checked_buckets(const std::string& metric, std::span<const double> buckets) {
  const std::string about = "histogram \"" + metric + "\": ";
  if (buckets.empty() || buckets.front() == kInfinity) {
    throw ConfigError(about + "got no finite bucket bound, want at least one");
  }
  for (size_t i = 0; i < buckets.size(); ++i) {
    if (std::isnan(buckets[i])) throw ConfigError(about + "got bucket bound NaN, want a number");
    if (i > 0 && buckets[i] <= buckets[i - 1]) {
      throw ConfigError(about + "got bucket bound " + float_text(buckets[i]) + " after " +
                        float_text(buckets[i - 1]) + ", want ascending bounds");
    }
  }
  return {buckets.begin(), buckets.end()};
}

}  // namespace

FamilySpec FamilySpec::of(const MetricInfo& info) {
  FamilySpec spec;
  spec.name = info.name;
  spec.help = info.help;
  spec.unit_name = unit_of(info.name);
  spec.type = info.type;
  spec.unit = info.unit;
  spec.combine = info.combine;
  spec.application = false;
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

FamilySpec FamilySpec::of_application(MetricType type, std::string_view name, std::string_view help,
                                      const std::vector<std::string>& label_names,
                                      std::span<const double> buckets) {
  if (!is_metric_name(name)) {
    throw ConfigError("got metric name \"" + std::string(name) +
                      "\", want [a-zA-Z_:][a-zA-Z0-9_:]*");
  }
  FamilySpec spec;
  spec.name = name;
  if (!is_utf8(help)) throw ConfigError("metric \"" + spec.name + "\": the help is not UTF-8");
  spec.help = help;
  spec.type = type;
  check_label_names(spec.name, label_names);
  spec.label_names = label_names;
  if (type == MetricType::kHistogram) set_bounds(spec, checked_buckets(spec.name, buckets));
  if (type == MetricType::kCounter) spec.name = std::string(without_total(spec.name)) + "_total";
  spec.unit_name = unit_of(spec.name);
  return spec;
}

}  // namespace inferometer
