#include "registry_bindings.h"

#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gil.h"
#include "inferometer/errors.h"
#include "inferometer/monitors.h"
#include "inferometer/registry.h"
#include "metric_object.h"
#include "telemetry/record/native_buckets.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using StringIterable = py::typing::Iterable<py::str>;
using FloatIterable = py::typing::Iterable<py::float_>;

std::vector<std::string> label_names_of(const StringIterable& names) {
  if (py::isinstance<py::str>(names)) {
    throw ConfigError("labelnames: got a string, want an iterable of strings");
  }
  std::vector<std::string> result;
  for (const py::handle name : names) {
    if (!py::isinstance<py::str>(name)) {
      throw ConfigError("labelnames: got " + std::string(py::str(py::type::of(name))) +
                        ", want strings");
    }
    result.emplace_back(utf8(py::reinterpret_borrow<py::str>(name), "label name"));
  }
  return result;
}

size_t series_limit(int64_t limit) {
  if (limit >= 0) return static_cast<size_t>(limit);
  throw ConfigError("max_series_per_family: got " + std::to_string(limit) + ", want 0 or more");
}

Shown shown_with(bool own_only) noexcept { return own_only ? Shown::kOwn : Shown::kAll; }

py::typing::Tuple<py::bytes, py::str, py::str> render_registry(const Registry& registry,
                                                               const std::string& accept,
                                                               const std::string& accept_encoding,
                                                               bool own_only) {
  Exposition exposition;
  without_gil(
      [&] { exposition = registry.render({accept, accept_encoding}, shown_with(own_only)); });
  return py::make_tuple(py::bytes(exposition.body), exposition.content_type,
                        exposition.content_encoding);
}

std::optional<double> sample_value(const Registry& registry, const py::str& name,
                                   const LabelsArgument& wanted) {
  const Registry::LabelSet labels = label_set_of(wanted);
  const std::string sample(utf8(name, "sample name"));
  std::optional<double> value;
  without_gil([&] { value = registry.sample_value(sample, labels); });
  return value;
}

Histogram make_histogram(Registry& registry, const py::str& name, const py::str& help,
                         const StringIterable& labelnames,
                         const std::optional<FloatIterable>& buckets,
                         std::optional<bool> native_histograms) {
  std::vector<double> bounds(std::begin(kDefaultBuckets), std::end(kDefaultBuckets));
  if (buckets) {
    bounds.clear();
    for (const py::handle bound : *buckets)
      bounds.push_back(py::float_(py::reinterpret_borrow<py::object>(bound)));
  }
  return registry.histogram(utf8(name, "metric name"), utf8(help, "help"),
                            label_names_of(labelnames), bounds, native_histograms);
}

void bind_registry_class(py::module_& m) {
  py::class_<Registry, std::shared_ptr<Registry>>(
      m, "Registry",
      "A set of metrics that is exposed together: those of the engines made with it and the\n"
      "application's own. Thread-safe; a forked child may go on using it.")
      .def(py::init([](int64_t max_series_per_family, bool native_histograms, bool created_series,
                       bool monitors) {
             auto registry =
                 Registry::create({.max_series_per_family = series_limit(max_series_per_family),
                                   .native_histograms = native_histograms,
                                   .created_series = created_series});
             if (monitors) attach_monitors(*registry);
             return registry;
           }),
           py::arg("max_series_per_family") = RegistryOptions{}.max_series_per_family,
           py::arg("native_histograms") = RegistryOptions{}.native_histograms,
           py::arg("created_series") = RegistryOptions{}.created_series,
           py::arg("monitors") = false)
      .def(
          "counter",
          [](Registry& self, const py::str& name, const py::str& help,
             const StringIterable& labelnames) {
            return self.counter(utf8(name, "metric name"), utf8(help, "help"),
                                label_names_of(labelnames));
          },
          py::arg("name"), py::arg("help") = "", py::arg("labelnames") = py::tuple(),
          "A new counter, exposed with `_total` at the end of its name.")
      .def(
          "gauge",
          [](Registry& self, const py::str& name, const py::str& help,
             const StringIterable& labelnames) {
            return self.gauge(utf8(name, "metric name"), utf8(help, "help"),
                              label_names_of(labelnames));
          },
          py::arg("name"), py::arg("help") = "", py::arg("labelnames") = py::tuple(),
          "A new gauge.")
      .def("histogram", &make_histogram, py::arg("name"), py::arg("help") = "",
           py::arg("labelnames") = py::tuple(), py::arg("buckets") = py::none(),
           py::arg("native_histograms") = py::none(),
           "A new histogram. `buckets` are ascending upper bounds; +Inf is added. "
           "`native_histograms`: native buckets too; None: as the registry says.")
      .def(
          "render", &render_registry, py::arg("accept") = "", py::arg("accept_encoding") = "",
          py::arg("own_only") = false,
          "The exposition in the format that these HTTP headers like best: its bytes, its content\n"
          "type, and its content encoding (\"gzip\", or empty). `own_only`: without the metrics "
          "of\n"
          "inferometer.prometheus. The GIL is released meanwhile.")
      .def_property(
          "max_series_per_family", &Registry::max_series_per_family,
          [](Registry& self, int64_t limit) {
            self.set_max_series_per_family(series_limit(limit));
          },
          "Bound on the series of each of the application's metrics.")
      .def(
          "family_names",
          [](const Registry& self, bool own_only) {
            std::vector<std::string> names;
            without_gil([&] { names = self.family_names(shown_with(own_only)); });
            return names;
          },
          py::arg("own_only") = false,
          "The names of the families that the exposition has now, in its order.")
      .def(
          "collect",
          [](const py::object& self) -> py::typing::List<py::object> {
            return py::module_::import("inferometer.prometheus.native_families")
                .attr("families_of")(self);
          },
          "The families as prometheus_client's registries take them from a collector.")
      .def("sample_value", &sample_value, py::arg("name"), py::arg("labels") = py::none(),
           "The present value of the sample with exactly these labels, None if there is none.");
}

}  // namespace

void bind_registry(py::module_& m) {
  bind_metrics(m);
  m.def("native_bucket_index", &native_bucket_index, py::arg("magnitude"), py::arg("schema"),
        "The native histogram bucket of a positive number; for tests.");
  bind_registry_class(m);
}

}  // namespace inferometer::python
