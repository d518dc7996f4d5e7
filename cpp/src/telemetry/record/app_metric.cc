// Counter, Gauge and Histogram of inferometer/registry.h.
#include <bit>
#include <cmath>

#include "base/word.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "telemetry/record/family.h"
#include "telemetry/record/histogram_cells.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

AppMetric::Values as_span(std::initializer_list<std::string_view> values) noexcept {
  return {values.begin(), values.size()};
}

double load(const Word& word) noexcept {
  // Relaxed: a value of its own.
  return std::bit_cast<double>(word.load(std::memory_order_relaxed));
}

// Bounds end with +Inf, which nothing exceeds; NaN is below no bound and goes there too.
size_t bucket_of(const std::vector<double>& bounds, double value) noexcept {
  return std::isnan(value) ? bounds.size() - 1 : bucket_index<double>(bounds, value);
}

int64_t time_of(const Exemplar& exemplar) noexcept {
  return exemplar.timestamp_ns != 0 ? exemplar.timestamp_ns : wall_clock().now_ns();
}

}  // namespace

AppMetric::AppMetric(std::shared_ptr<Family> family) : family_(std::move(family)) {
  if (!family_->spec().label_names.empty()) return;
  series_ = family_->get({});
  cells_ = series_->base();
}

AppMetric::AppMetric(std::shared_ptr<Family> family, std::shared_ptr<Series> series)
    : family_(std::move(family)), series_(std::move(series)), cells_(series_->base()) {}

const std::string& AppMetric::name() const noexcept { return family_->spec().name; }

const std::vector<std::string>& AppMetric::label_names() const noexcept {
  return family_->spec().label_names;
}

std::shared_ptr<Series> AppMetric::child(Values values) const {
  if (series_ != nullptr) {
    throw ConfigError("metric \"" + name() + "\": got labels for " +
                      (label_names().empty() ? "a metric without labels" : "one of its series") +
                      ", want them for a metric with labels");
  }
  return family_->get(values);
}

void AppMetric::remove(Values values) const { family_->remove(values); }
void AppMetric::remove(std::initializer_list<std::string_view> values) const {
  remove(as_span(values));
}
void AppMetric::clear() const { family_->clear(); }

void AppMetric::refuse_without_labels() const {
  throw ConfigError("metric \"" + name() + "\" has labels: got none, want labels(...) first");
}

Counter Counter::labels(Values values) const { return {family_, child(values)}; }
Counter Counter::labels(std::initializer_list<std::string_view> values) const {
  return labels(as_span(values));
}

void Counter::inc(double amount) const {
  Word* const word = cells();
  if (!(amount >= 0)) {
    throw ConfigError("counter \"" + name() + "\": got an increment of " + float_text(amount) +
                      ", want 0 or more");
  }
  add_shared_double(*word, amount);
}

void Counter::inc(double amount, const Exemplar& exemplar) const {
  check_exemplar(exemplar.labels);
  inc(amount);
  series_->exemplars()->set(0, exemplar.labels, amount, time_of(exemplar));
}

double Counter::value() const { return load(*cells()); }

Gauge Gauge::labels(Values values) const { return {family_, child(values)}; }
Gauge Gauge::labels(std::initializer_list<std::string_view> values) const {
  return labels(as_span(values));
}

void Gauge::inc(double amount) const { add_shared_double(*cells(), amount); }
void Gauge::dec(double amount) const { add_shared_double(*cells(), -amount); }
void Gauge::set(double value) const {
  cells()->store(std::bit_cast<uint64_t>(value), std::memory_order_relaxed);
}
double Gauge::value() const { return load(*cells()); }

Histogram Histogram::labels(Values values) const { return {family_, child(values)}; }
Histogram Histogram::labels(std::initializer_list<std::string_view> values) const {
  return labels(as_span(values));
}

void Histogram::observe(double value) const {
  Word* const words = cells();
  const std::vector<double>& bounds = family_->spec().bounds;
  add_shared(words[bucket_of(bounds, value)], 1);
  if (NativeCells* const native = series_->native()) native->observe_shared(value);
  add_shared_double(words[bounds.size()], value);
}

void Histogram::observe(double value, const Exemplar& exemplar) const {
  check_exemplar(exemplar.labels);
  observe(value);
  series_->exemplars()->set(bucket_of(family_->spec().bounds, value), exemplar.labels, value,
                            time_of(exemplar));
}

}  // namespace inferometer
