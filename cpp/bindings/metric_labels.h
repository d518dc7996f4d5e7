// Label values as they come from Python.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "inferometer/registry.h"

namespace inferometer::python {

/// The UTF-8 of label values in the order of the label names, as prometheus_client takes them:
/// str() of anything. Throws ConfigError for what cannot be the labels of the metric and for text
/// with lone surrogates, and passes on what str() raises. Single-owner; needs the GIL.
class MetricLabels {
 public:
  /// The arguments of a METH_FASTCALL | METH_KEYWORDS method: all by position, or all by name.
  MetricLabels(const AppMetric& metric, PyObject* const* arguments, Py_ssize_t count,
               PyObject* keywords);
  ~MetricLabels();
  MetricLabels(const MetricLabels&) = delete;
  MetricLabels& operator=(const MetricLabels&) = delete;

  [[nodiscard]] AppMetric::Values view() const noexcept { return {views_, size_}; }

 private:
  void add(PyObject* value);
  void add_by_name(const AppMetric& metric, PyObject* const* values, PyObject* keywords);

  static constexpr size_t kFew = 8;
  std::array<PyObject*, kFew> few_texts_;  // keep alive what the views refer to
  std::array<std::string_view, kFew> few_views_;
  std::vector<PyObject*> many_texts_;
  std::vector<std::string_view> many_views_;
  PyObject** texts_ = few_texts_.data();
  std::string_view* views_ = few_views_.data();
  size_t size_ = 0;
};

}  // namespace inferometer::python
