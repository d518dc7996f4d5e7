// What Counter, Gauge and Histogram are in Python: raw C types, so that `counter.inc()` is one C
// call and `labels()` makes an object of 64 bytes.
#pragma once

#include <Python.h>
#include <pybind11/pybind11.h>

#include <new>
#include <utility>

#include "errors.h"
#include "inferometer/registry.h"

namespace inferometer::python {

/// A handle to a metric. It holds no Python object, so the garbage collector need not know it. Made
/// by wrap() alone: Python cannot make one that has no metric.
template <typename Metric>
struct MetricObject {
  PyObject_HEAD Metric metric;
};

/// The Python type of such handles, made by bind_metrics(). Lives as long as the process.
template <typename Metric>
inline PyTypeObject* metric_type_object = nullptr;

/// A new handle; null with an exception set if there is no memory.
template <typename Metric>
[[nodiscard]] PyObject* wrap(Metric metric) {
  auto* const object = PyObject_New(MetricObject<Metric>, metric_type_object<Metric>);
  if (object == nullptr) return nullptr;
  new (&object->metric) Metric(std::move(metric));
  return reinterpret_cast<PyObject*>(object);
}

template <typename Metric>
[[nodiscard]] const Metric& metric_of(PyObject* object) noexcept {
  return reinterpret_cast<MetricObject<Metric>*>(object)->metric;
}

/// Adds the three types to the module.
void bind_metrics(pybind11::module_& m);

}  // namespace inferometer::python

namespace pybind11::detail {

// Lets bound functions return metrics. The names are pybind11's.
// NOLINTBEGIN(readability-identifier-naming)
template <typename Metric>
struct MetricCaster {
  static handle cast(Metric metric, return_value_policy /*policy*/, handle /*parent*/) {
    return inferometer::python::wrap(std::move(metric));
  }
};

template <>
struct type_caster<inferometer::Counter> : MetricCaster<inferometer::Counter> {
  static constexpr auto name = const_name("Counter");
};
template <>
struct type_caster<inferometer::Gauge> : MetricCaster<inferometer::Gauge> {
  static constexpr auto name = const_name("Gauge");
};
template <>
struct type_caster<inferometer::Histogram> : MetricCaster<inferometer::Histogram> {
  static constexpr auto name = const_name("Histogram");
};

// NOLINTEND(readability-identifier-naming)

}  // namespace pybind11::detail
