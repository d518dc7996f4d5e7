#include "telemetry/record/family.h"

#include <algorithm>

#include "inferometer/errors.h"
#include "telemetry/record/names.h"

namespace inferometer {
namespace {

// Label values joined by a byte that UTF-8 never contains. Values that are not UTF-8 are refused
// before anything is stored under them, so they never find a series either.
class Key {
 public:
  explicit Key(std::span<const std::string_view> values) {
    if (values.size() == 1) {
      text_ = values.front();
      return;
    }
    for (const std::string_view value : values) {
      joined_ += value;
      joined_ += '\xff';
    }
    text_ = joined_;
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  std::string joined_;
  std::string_view text_;
};

// Prometheus servers limit the buckets of a histogram, commonly to 160; beyond it we halve the
// resolution.
constexpr size_t kMaxNativeBuckets = 160;

ExemplarView view_of(const ExemplarReading& reading) noexcept {
  return {{reading.text, reading.names, reading.values}, reading.value, reading.timestamp_ns};
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return "(" + text + ")";
}

}  // namespace

Family::Family(std::shared_ptr<Storage> storage, FamilySpec spec, Keep keep)
    : storage_(std::move(storage)),
      spec_(std::make_shared<const FamilySpec>(std::move(spec))),
      keep_(keep),
      cumulative_(spec_->bounds.size()) {}

void Family::check_count(Values values) const {
  if (values.size() == spec_->label_names.size()) return;
  throw ConfigError("metric \"" + spec_->name + "\": got " + std::to_string(values.size()) +
                    " label values, want " + std::to_string(spec_->label_names.size()) + " " +
                    quoted_list(spec_->label_names));
}

std::shared_ptr<Series> Family::get(Values values, bool native) {
  check_count(values);
  MutexLock lock(storage_->mutex);
  return get_locked(values, native);
}

std::shared_ptr<Series> Family::get_locked(Values values, bool native) {
  check_count(values);
  const Key key(values);
  const auto found = index_.find(key.text());
  if (found != index_.end()) {
    std::shared_ptr<Series>& series = series_[found->second];
    // Only this lock leads to new handles, so 1 (ours) means that nobody holds it and nobody will.
    if (keep_ == Keep::kUntilRemoved || series.use_count() > 1) return series;
    series = make_locked(values, native);
    return series;
  }
  std::shared_ptr<Series> series = make_locked(values, native);
  series_.push_back(series);
  index_.emplace(key.text(), series_.size() - 1);
  return series;
}

std::shared_ptr<Series> Family::make_locked(Values values, bool native) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_utf8(values[i])) continue;
    throw ConfigError("metric \"" + spec_->name + "\": the value of label " +
                      spec_->label_names[i] + " is not UTF-8");
  }
  try {
    const bool has_native =
        spec_->type == MetricType::kHistogram && (native || spec_->native_histograms);
    return std::make_shared<Series>(
        storage_, spec_, std::vector<std::string>(values.begin(), values.end()),
        has_native ? std::optional(kDefaultNativeSchema) : std::nullopt);
  } catch (const ConfigError&) {
    add_shared(storage_->dropped_series, 1);
    throw;
  }
}

void Family::remove(Values values) {
  if (spec_->label_names.empty()) {
    throw ConfigError("metric \"" + spec_->name + "\" has no labels, want one with labels");
  }
  check_count(values);
  const Key key(values);
  std::shared_ptr<Series> removed;  // destroyed when the lock is free again
  MutexLock lock(storage_->mutex);
  removed = erase_locked(key.text());
  close_gaps_locked();
}

std::shared_ptr<Series> Family::erase_locked(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  std::shared_ptr<Series> removed = std::move(series_[found->second]);
  index_.erase(found);
  return removed;
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
  for (auto& [values, position] : index_) position = moved[position];
}

void Family::clear() {
  if (spec_->label_names.empty()) return;
  SeriesList removed;  // destroyed when the lock is free again
  MutexLock lock(storage_->mutex);
  removed.swap(series_);
  index_.clear();
}

bool Family::contains_locked(std::span<const std::string> names,
                             std::span<const std::string> values) const {
  if (names.size() != spec_->label_names.size()) return false;
  std::vector<std::string_view> ordered;
  for (const std::string& name : spec_->label_names) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return false;
    ordered.emplace_back(values[static_cast<size_t>(found - names.begin())]);
  }
  const Key key(ordered);
  return index_.find(key.text()) != index_.end();
}

void Family::collect_dead_locked(SeriesList& dead) {
  if (keep_ == Keep::kUntilRemoved) return;
  for (const std::shared_ptr<Series>& series : series_) {
    if (series == nullptr || series.use_count() > 1) continue;
    const auto texts = series->labels().values;
    const std::vector<std::string_view> values(texts.begin(), texts.end());
    dead.push_back(erase_locked(Key(values).text()));
  }
  close_gaps_locked();
}

void Family::visit_locked(Sink& sink) {
  sink.family({spec_->name, spec_->help, spec_->type, spec_->unit_name});
  visit_series_locked(sink);
}

// The series' lock is this family's storage_->mutex, which the analysis cannot see.
void Family::visit_series_locked(Sink& sink) NO_THREAD_SAFETY_ANALYSIS {
  std::vector<ExemplarView> exemplars;
  for (const std::shared_ptr<Series>& series : series_) {
    if (series == nullptr) continue;
    // Before the value: what an exemplar tells is then in the value too.
    const std::vector<ExemplarReading> readings = series->read_exemplars();
    exemplars.clear();
    for (const ExemplarReading& one : readings) exemplars.push_back(view_of(one));
    if (spec_->type != MetricType::kHistogram) {
      sink.scalar(series->view(), series->read_locked(),
                  exemplars.empty() ? nullptr : exemplars.data());
      continue;
    }
    NativeReading native(kDefaultNativeSchema);
    const Number sum = series->read_histogram_locked(cumulative_, &native);
    HistogramView view{spec_->bounds, spec_->le, cumulative_, sum, exemplars, nullptr};
    NativeHistogramView native_view;
    if (series->native() != nullptr) {
      native.limit_buckets(kMaxNativeBuckets);
      native_view = native.view();
      view.native = &native_view;
    }
    sink.histogram(series->view(), view);
  }
}

}  // namespace inferometer
