#include "telemetry/record/history_sample.h"

#include <algorithm>
#include <array>

#include "inferometer/errors.h"
#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

constexpr std::string_view kLe = "le";
constexpr std::array<std::string_view, 3> kHistogramSuffixes = {"_bucket", "_sum", "_count"};

void add_to_list(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

[[noreturn]] void refuse_name(std::string_view name) {
  std::string known;
  for (const MetricInfo& info : catalogue()) {
    if (info.type != MetricType::kHistogram) {
      add_to_list(known, info.name);
      continue;
    }
    for (const std::string_view suffix : kHistogramSuffixes) {
      add_to_list(known, info.name);
      known += suffix;
    }
  }
  throw ConfigError(
      "history: got the sample name \"" + std::string(name) +
      "\", want one of the catalogue (an application's own metrics are not kept): " + known);
}

const MetricInfo& metric_of(std::string_view name) {
  for (const MetricInfo& info : catalogue()) {
    if (info.type != MetricType::kHistogram) {
      if (name == info.name) return info;
      continue;
    }
    if (!name.starts_with(info.name)) continue;
    const std::string_view suffix = name.substr(info.name.size());
    if (std::ranges::find(kHistogramSuffixes, suffix) != kHistogramSuffixes.end()) return info;
  }
  refuse_name(name);
}

}  // namespace

HistorySample::HistorySample(std::string_view name)
    : name_(name),
      metric_(metric_of(name).metric),
      spec_(FamilySpec::of(metric_info(metric_))),
      part_(spec_.bounds.empty()        ? Part::kValue
            : name.ends_with("_bucket") ? Part::kBucket
            : name.ends_with("_sum")    ? Part::kSum
                                        : Part::kCount) {}

void HistorySample::refuse_labels(const Registry::LabelSet& labels) const {
  std::string got;
  for (const auto& [name, value] : labels) add_to_list(got, name);
  std::string want;
  for (const std::string& name : spec_.label_names) add_to_list(want, name);
  want = "(" + want + ")";
  if (part_ == Part::kBucket) want += ", with le for one bucket, without for all";
  throw ConfigError("history of \"" + name_ + "\": got the labels (" + got + "), want " + want);
}

size_t HistorySample::column_of(const std::string& le) const {
  const auto bound = std::ranges::find(spec_.le, le);
  if (bound != spec_.le.end()) return static_cast<size_t>(bound - spec_.le.begin());
  std::string want;
  for (const std::string& text : spec_.le) add_to_list(want, text);
  throw ConfigError("history of \"" + name_ + "\": got le \"" + le + "\", want one of " + want);
}

HistorySample::Place HistorySample::place(const Registry::LabelSet& labels) const {
  std::vector<std::string> values;
  for (const std::string& name : spec_.label_names) {
    const auto found = labels.find(name);
    if (found == labels.end()) refuse_labels(labels);
    values.push_back(found->second);
  }
  const auto le = part_ == Part::kBucket ? labels.find(kLe) : labels.end();
  if (labels.size() != values.size() + (le == labels.end() ? 0 : 1)) refuse_labels(labels);

  Place place{.label_text = label_text(spec_.label_names, values), .column = 0, .columns = 1};
  switch (part_) {
    case Part::kValue:
      break;
    case Part::kBucket:
      if (le == labels.end()) {
        place.columns = spec_.le.size();
      } else {
        place.column = column_of(le->second);
      }
      break;
    case Part::kSum:
      place.column = spec_.bounds.size();
      break;
    case Part::kCount:
      place.column = spec_.bounds.size() - 1;
      break;
  }
  return place;
}

void HistorySample::append_labels(std::string_view label_text,
                                  std::vector<Registry::LabelSet>& labels) const {
  Registry::LabelSet set;
  for (LabelReader reader(label_text); reader.next();) set.emplace(reader.name(), reader.value());
  if (part_ != Part::kBucket) {
    labels.push_back(std::move(set));
    return;
  }
  for (const std::string& bound : spec_.le) {
    set.insert_or_assign(std::string(kLe), bound);
    labels.push_back(set);
  }
}

}  // namespace inferometer
