#include "telemetry/cells/app_spec.h"

#include <cmath>
#include <set>

#include "base/non_finite.h"
#include "inferometer/errors.h"
#include "telemetry/record/names.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

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

CellSpec app_spec(CellType type, std::string_view name, std::string_view help,
                  const std::vector<std::string>& label_names, std::span<const double> buckets) {
  if (!is_metric_name(name)) {
    throw ConfigError("got metric name \"" + std::string(name) +
                      "\", want [a-zA-Z_:][a-zA-Z0-9_:]*");
  }
  CellSpec spec;
  spec.type = type;
  spec.name = name;
  if (!is_utf8(help)) throw ConfigError("metric \"" + spec.name + "\": the help is not UTF-8");
  spec.help = help;
  check_label_names(spec.name, label_names);
  spec.label_names = label_names;
  if (type == CellType::kHistogram) {
    spec.bounds = CellBounds::of(checked_buckets(spec.name, buckets));
  }
  if (type == CellType::kCounter) spec.name = without_total(name);
  spec.unit = unit_of(spec.name);
  spec.sorted_labels = false;
  return spec;
}

}  // namespace inferometer
