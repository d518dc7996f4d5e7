#include "metric_labels.h"

#include <pybind11/pybind11.h>

#include <string>

#include "inferometer/errors.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// The value of the keyword, null if it is not there.
PyObject* find(const std::string& name, PyObject* const* values, PyObject* keywords) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keywords); ++i) {
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(keywords, i), name.c_str()) == 0) {
      return values[i];
    }
  }
  return nullptr;
}

}  // namespace

MetricLabels::MetricLabels(const AppMetric& metric, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords) {
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  if (count > 0 && named > 0) {
    throw ConfigError("metric \"" + metric.name() +
                      "\": got label values by position and by name, want one or the other");
  }
  const auto wanted = static_cast<size_t>(count + named);
  if (wanted > kFew) {
    many_texts_.resize(wanted);
    many_views_.resize(wanted);
    texts_ = many_texts_.data();
    views_ = many_views_.data();
  }
  try {
    for (Py_ssize_t i = 0; i < count; ++i) add(arguments[i]);
    if (named > 0) add_by_name(metric, arguments, keywords);
  } catch (...) {
    for (size_t i = 0; i < size_; ++i) Py_DECREF(texts_[i]);
    throw;
  }
}

MetricLabels::~MetricLabels() {
  for (size_t i = 0; i < size_; ++i) Py_DECREF(texts_[i]);
}

void MetricLabels::add(PyObject* value) {
  auto text = PyUnicode_CheckExact(value) ? py::reinterpret_borrow<py::str>(value)
                                          : py::reinterpret_steal<py::str>(PyObject_Str(value));
  if (!text) throw py::error_already_set();
  views_[size_] = utf8(text, "label value");
  texts_[size_++] = text.release().ptr();
}

void MetricLabels::add_by_name(const AppMetric& metric, PyObject* const* values,
                               PyObject* keywords) {
  const auto named = static_cast<size_t>(PyTuple_GET_SIZE(keywords));
  for (const std::string& name : metric.label_names()) {
    PyObject* const value = find(name, values, keywords);
    if (value == nullptr) {
      throw ConfigError("metric \"" + metric.name() + "\": got no value for label " + name);
    }
    if (size_ == named) break;
    add(value);
  }
  if (named != metric.label_names().size()) {
    throw ConfigError("metric \"" + metric.name() + "\": got " + std::to_string(named) +
                      " label values by name, want " + std::to_string(metric.label_names().size()));
  }
}

}  // namespace inferometer::python
