// Counter, Gauge and Histogram of inferometer/registry.h.
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "telemetry/cells/cell_family.h"
#include "telemetry/record/exemplar_cells.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

AppMetric::Values as_span(std::initializer_list<std::string_view> values) noexcept {
  return {values.begin(), values.size()};
}

CellExemplar kept(const Exemplar& exemplar, double value) {
  const int64_t now_ns = exemplar.timestamp_ns != 0 ? exemplar.timestamp_ns : wall_clock().now_ns();
  CellExemplar result{{}, value, static_cast<double>(now_ns) / 1e9};
  for (const auto& [name, label] : exemplar.labels) result.labels.emplace_back(name, label);
  return result;
}

}  // namespace

AppMetric::AppMetric(std::shared_ptr<CellFamily> family) : family_(std::move(family)) {
  if (family_->spec().label_names.empty()) cell_ = family_->get({});
}

AppMetric::AppMetric(std::shared_ptr<CellFamily> family, std::shared_ptr<ValueCell> cell)
    : family_(std::move(family)), cell_(std::move(cell)) {}

const std::string& AppMetric::name() const noexcept { return family_->exposed_name(); }

const std::vector<std::string>& AppMetric::label_names() const noexcept {
  return family_->spec().label_names;
}

std::shared_ptr<ValueCell> AppMetric::child(Values values) const {
  if (cell_ != nullptr) {
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
  ValueCell& counter = cell();
  if (!(amount >= 0)) {
    throw ConfigError("counter \"" + name() + "\": got an increment of " + float_text(amount) +
                      ", want 0 or more");
  }
  counter.add(amount);
}

void Counter::inc(double amount, const Exemplar& exemplar) const {
  check_exemplar(exemplar.labels);
  inc(amount);
  cell().set_exemplar(0, kept(exemplar, amount));
}

double Counter::value() const { return cell().value(); }

Gauge Gauge::labels(Values values) const { return {family_, child(values)}; }
Gauge Gauge::labels(std::initializer_list<std::string_view> values) const {
  return labels(as_span(values));
}

void Gauge::inc(double amount) const { cell().add(amount); }
void Gauge::dec(double amount) const { cell().add(-amount); }
void Gauge::set(double value) const { cell().set(value); }
double Gauge::value() const { return cell().value(); }

Histogram Histogram::labels(Values values) const { return {family_, child(values)}; }
Histogram Histogram::labels(std::initializer_list<std::string_view> values) const {
  return labels(as_span(values));
}

void Histogram::observe(double value) const {
  ValueCell& histogram = cell();
  histogram.observe_in(histogram.bucket_of(value), value);
}

void Histogram::observe(double value, const Exemplar& exemplar) const {
  check_exemplar(exemplar.labels);
  ValueCell& histogram = cell();
  const size_t bucket = histogram.bucket_of(value);
  histogram.observe_in(bucket, value);
  histogram.set_exemplar(bucket, kept(exemplar, value));
}

}  // namespace inferometer
