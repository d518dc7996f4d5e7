#include "telemetry/record/foreign.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

// A series' identity: labels in any order mean the same. \xff is no part of UTF-8.
std::string identity(const std::string& family, const ForeignSeries& series) {
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  labels.reserve(series.label_names.size());
  for (size_t i = 0; i < series.label_names.size(); ++i) {
    labels.emplace_back(series.label_names[i], series.label_values[i]);
  }
  std::ranges::sort(labels);
  std::string key = family;
  for (const auto& [name, value] : labels) {
    key.append("\xff").append(name).append("\xff").append(value);
  }
  return key;
}

bool labels_valid(const ForeignSeries& series, MetricType type) {
  std::set<std::string_view> names;
  for (const std::string& name : series.label_names) {
    if (!is_label_name(name) || !names.insert(name).second) return false;
    if (name == "le" && type == MetricType::kHistogram) return false;
    if (name == "quantile" && type == MetricType::kSummary) return false;
  }
  return std::ranges::all_of(series.label_values, [](const auto& value) { return is_utf8(value); });
}

std::vector<std::string> texts(const std::vector<double>& bounds) {
  std::vector<std::string> result;
  result.reserve(bounds.size());
  for (const double bound : bounds) result.push_back(float_text(bound));
  return result;
}

}  // namespace

bool ForeignSeries::valid(MetricType type) const {
  if (!labels_valid(*this, type)) return false;
  if (type != MetricType::kHistogram) return true;
  const auto not_below = [](double a, double b) { return !(a < b); };  // true for NaN
  return bounds.size() == cumulative.size() && !bounds.empty() &&
         bounds.back() == std::numeric_limits<double>::infinity() &&
         std::ranges::adjacent_find(bounds, not_below) == bounds.end() &&
         std::ranges::is_sorted(cumulative);
}

void ForeignFamilies::add(ForeignFamily family) {
  if (family.series.empty()) return;
  const NameTable::Owner* owner = names_.owner_of(family.name, family.type);
  const bool known = owner != nullptr && owner->family == family.name && owner->type == family.type;
  if (!is_metric_name(family.name) || !is_utf8(family.help) || (owner != nullptr && !known)) {
    dropped_ += family.series.size();
    return;
  }
  if (!known) {
    names_.add(family.name, family.type);
    index_.emplace(family.name, families_.size());
    families_.push_back({family.name, family.help, family.type, {}});
  }
  ForeignFamily& target = families_[index_.find(family.name)->second];
  for (ForeignSeries& series : family.series) {
    if (series.valid(family.type) && seen_.insert(identity(family.name, series)).second) {
      target.series.push_back(std::move(series));
    } else {
      ++dropped_;
    }
  }
}

void ForeignFamilies::resolve(
    const NameTable& ours,
    const std::function<bool(const ForeignFamily&, const ForeignSeries&)>& is_ours) {
  for (ForeignFamily& family : families_) {
    const NameTable::Owner* owner = ours.owner_of(family.name, family.type);
    if (owner == nullptr) continue;
    if (owner->family != family.name || owner->type != family.type) {
      dropped_ += family.series.size();
      family.series.clear();
      continue;
    }
    dropped_ += std::erase_if(family.series,
                              [&](const ForeignSeries& series) { return is_ours(family, series); });
  }
}

std::optional<ForeignFamily> ForeignFamilies::take(const std::string& name) {
  const auto found = index_.find(name);
  if (found == index_.end() || families_[found->second].series.empty()) return std::nullopt;
  return std::exchange(families_[found->second], ForeignFamily{});
}

void ForeignFamilies::visit(Sink& sink) const {
  for (const ForeignFamily& family : families_) {
    if (family.series.empty()) continue;
    sink.family(
        {family.name, family.help, family.type, unit_of(base_name(family.name, family.type))});
    visit_series(family, sink);
  }
}

void visit_series(const ForeignFamily& family, Sink& sink) {
  for (const ForeignSeries& series : family.series) {
    const std::string text = label_text(series.label_names, series.label_values);
    const SeriesView view = {text, series.timestamp_ms};
    switch (family.type) {
      case MetricType::kHistogram: {
        const std::vector<std::string> le = texts(series.bounds);
        sink.histogram(view, {series.bounds, le, series.cumulative, Number::of(series.sum)});
        break;
      }
      case MetricType::kSummary:
        sink.summary(view, {series.bounds, series.quantile_values, series.count, series.sum});
        break;
      case MetricType::kCounter:
      case MetricType::kGauge:
      case MetricType::kUntyped:
        sink.scalar(view, Number::of(series.value), nullptr);
        break;
    }
  }
}

}  // namespace inferometer
