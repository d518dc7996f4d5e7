#include "python_source.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "gil.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

constexpr std::array kCollectedTypes = {MetricType::kCounter, MetricType::kGauge,
                                        MetricType::kHistogram, MetricType::kSummary,
                                        MetricType::kUntyped};

void call(const std::shared_ptr<void>& function, const py::object& argument) {
  PyObject* const result = park_at_interpreter_exit(
      [&] { return PyObject_CallOneArg(static_cast<PyObject*>(function.get()), argument.ptr()); });
  if (result == nullptr) throw py::error_already_set();
  Py_DECREF(result);
}

}  // namespace

void FamilyList::family(std::string name, std::string help, const std::string& type) {
  const auto* const found = std::ranges::find(kCollectedTypes, type, metric_type_name);
  if (found == kCollectedTypes.end()) {
    throw ConfigError("metric type: got \"" + type +
                      "\", want counter, gauge, histogram, summary or untyped");
  }
  collected_.families.push_back({std::move(name), std::move(help), *found, {}});
}

MetricType FamilyList::type() const {
  if (collected_.families.empty()) throw ConfigError("got a series, want a family before it");
  return collected_.families.back().type;
}

ForeignSeries& FamilyList::add(Series series, bool fits) {
  ForeignFamily& family = collected_.families.back();
  if (!fits || series.label_names.size() != series.label_values.size()) {
    throw ConfigError("family \"" + family.name + "\" of type " +
                      std::string(metric_type_name(family.type)) +
                      ": got a series of another type or with names and values of labels that are "
                      "not equally many");
  }
  ForeignSeries& added = family.series.emplace_back();
  added.label_names = std::move(series.label_names);
  added.label_values = std::move(series.label_values);
  added.timestamp_ms = series.timestamp_ms;
  return added;
}

void FamilyList::scalar(Series series, double value) {
  const MetricType present = type();
  const bool fits = present != MetricType::kHistogram && present != MetricType::kSummary;
  add(std::move(series), fits).value = value;
}

void FamilyList::histogram(Series series, std::vector<double> bounds,
                           std::vector<uint64_t> cumulative, double sum) {
  ForeignSeries& added = add(std::move(series), type() == MetricType::kHistogram);
  added.bounds = std::move(bounds);
  added.cumulative = std::move(cumulative);
  added.sum = sum;
}

void FamilyList::summary(Series series, std::vector<double> quantiles, std::vector<double> values,
                         uint64_t count, double sum) {
  const bool fits = type() == MetricType::kSummary && quantiles.size() == values.size();
  ForeignSeries& added = add(std::move(series), fits);
  added.bounds = std::move(quantiles);
  added.quantile_values = std::move(values);
  added.count = count;
  added.sum = sum;
}

void FamilyList::extend(FamilyList& other) {
  Collected theirs = other.take();
  std::ranges::move(theirs.families, std::back_inserter(collected_.families));
  collected_.dropped += theirs.dropped;
  collected_.errors += theirs.errors;
}

Collected FamilyList::take() { return std::exchange(collected_, {}); }

PythonSource::PythonSource(const py::object& function) : function_(share_object(function.ptr())) {}

Collected PythonSource::collect() {
  const OnPythonThread gil;
  try {
    const auto list = std::make_shared<FamilyList>();
    call(function_, py::cast(list));
    return list->take();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("a source of metrics");
    return {.families = {}, .errors = 1};
  }
}

}  // namespace inferometer::python
