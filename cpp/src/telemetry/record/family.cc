#include "telemetry/record/family.h"

#include <optional>

#include "inferometer/errors.h"
#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

ExemplarView view_of(const ExemplarReading& reading) noexcept {
  return {reading.text, reading.value, reading.timestamp_ns};
}

}  // namespace

Family::Family(std::shared_ptr<Storage> storage, FamilySpec spec)
    : storage_(std::move(storage)),
      spec_(std::make_shared<const FamilySpec>(std::move(spec))),
      cumulative_(spec_->bounds.size()) {}

std::shared_ptr<Series> Family::get(LabelValues values, bool native) {
  MutexLock lock(storage_->mutex);
  return get_locked(values, native);
}

std::shared_ptr<Series> Family::get_locked(LabelValues values, bool native) {
  check_label_count(spec_->name, spec_->label_names, values);
  std::string labels = label_text(spec_->label_names, values);
  const auto found = index_.find(labels);
  if (found != index_.end()) {
    std::shared_ptr<Series>& series = series_[found->second];
    // Only this lock leads to new handles, so 1 (ours) means that nobody holds it and nobody will.
    if (series.use_count() == 1) series = make_locked(std::move(labels), native);
    return series;
  }
  check_label_values(spec_->name, spec_->label_names, values);
  std::shared_ptr<Series> series = make_locked(labels, native);
  series_.push_back(series);
  index_.emplace(std::move(labels), series_.size() - 1);
  return series;
}

std::shared_ptr<Series> Family::make_locked(std::string labels, bool native) {
  try {
    const bool has_native =
        spec_->type == MetricType::kHistogram && (native || spec_->native_histograms);
    return std::make_shared<Series>(
        storage_, spec_, std::move(labels),
        has_native ? std::optional(kDefaultNativeSchema) : std::nullopt);
  } catch (const ConfigError&) {
    add_shared(storage_->dropped_series, 1);
    throw;
  }
}

void Family::close_gaps_locked() {
  if (series_.size() < 16 || index_.size() >= series_.size() / 2) return;
  std::vector<size_t> moved(series_.size());
  size_t kept = 0;
  for (size_t i = 0; i < series_.size(); ++i) {
    moved[i] = kept;
    if (series_[i] == nullptr) continue;
    if (i != kept) series_[kept] = std::move(series_[i]);
    ++kept;
  }
  series_.resize(kept);
  for (auto& [labels, position] : index_) position = moved[position];
}

bool Family::contains_locked(std::span<const std::string> names,
                             std::span<const std::string> values) const {
  const auto ordered = in_order_of(spec_->label_names, names, values);
  return ordered && index_.find(label_text(spec_->label_names, *ordered)) != index_.end();
}

void Family::collect_dead_locked(SeriesList& dead) {
  for (std::shared_ptr<Series>& series : series_) {
    if (series == nullptr || series.use_count() > 1) continue;
    index_.erase(index_.find(series->labels()));
    dead.push_back(std::move(series));
  }
  close_gaps_locked();
}

void Family::visit_header(Sink& sink) const {
  sink.family({spec_->name, spec_->help, spec_->type, spec_->unit_name});
}

// The series' lock is this family's storage_->mutex, which the analysis cannot see.
void Family::visit_locked(Sink& sink) NO_THREAD_SAFETY_ANALYSIS {
  visit_header(sink);
  std::vector<ExemplarView> exemplars;
  for (const std::shared_ptr<Series>& series : series_) {
    if (series == nullptr) continue;
    // Before the value: what an exemplar tells is then in the value too.
    const std::vector<ExemplarReading> readings = series->read_exemplars();
    exemplars.clear();
    for (const ExemplarReading& one : readings) exemplars.push_back(view_of(one));
    if (spec_->type == MetricType::kHistogram) {
      visit_histogram_locked(*series, exemplars, sink);
    } else {
      sink.scalar(series->view(), series->read_locked(),
                  exemplars.empty() ? nullptr : exemplars.data());
    }
  }
}

void Family::visit_histogram_locked(const Series& series, std::span<const ExemplarView> exemplars,
                                    Sink& sink) NO_THREAD_SAFETY_ANALYSIS {
  NativeReading native(kDefaultNativeSchema);
  const Number sum = series.read_histogram_locked(cumulative_, &native);
  HistogramView view{spec_->bounds, spec_->le, cumulative_, sum, exemplars, nullptr};
  NativeHistogramView native_view;
  if (series.native() != nullptr) {
    native.limit_buckets(kMaxNativeBuckets);
    native_view = native.view();
    view.native = &native_view;
  }
  sink.histogram(series.view(), view);
}

}  // namespace inferometer
