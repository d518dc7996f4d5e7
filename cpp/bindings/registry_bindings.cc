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
#include "telemetry/record/native_buckets.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using Strings = py::typing::Iterable<py::str>;
using Floats = py::typing::Iterable<py::float_>;

std::vector<std::string> label_names_of(const Strings& names) {
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

// Label values as text, as prometheus_client takes them: str() of anything. Single-owner.
class LabelValues {
 public:
  // In the order of the label names.
  explicit LabelValues(const py::args& values) {
    for (const py::handle value : values) add(value);
  }
  LabelValues(const AppMetric& metric, const py::args& values, const py::kwargs& named) {
    if (values.empty() == named.empty() && !values.empty()) {
      throw ConfigError("metric \"" + metric.name() +
                        "\": got label values by position and by name, want one or the other");
    }
    for (const py::handle value : values) add(value);
    if (named.empty()) return;
    for (const std::string& name : metric.label_names()) {
      if (!named.contains(name)) {
        throw ConfigError("metric \"" + metric.name() + "\": got no value for label " + name);
      }
      add(named[name.c_str()]);
    }
    if (named.size() != texts_.size()) {
      throw ConfigError("metric \"" + metric.name() + "\": got " + std::to_string(named.size()) +
                        " label values by name, want " + std::to_string(texts_.size()));
    }
  }
  [[nodiscard]] AppMetric::Values view() const noexcept { return views_; }

 private:
  void add(py::handle value) {
    const py::str& text = texts_.emplace_back(value);
    views_.push_back(utf8(text, "label value"));
  }

  std::vector<py::str> texts_;  // keep what views_ refers to alive
  std::vector<std::string_view> views_;
};

// What the three metric classes have in common.
template <typename Metric>
py::class_<Metric> bind_metric(py::module_& m, const char* name, const char* doc) {
  return py::class_<Metric>(m, name, doc)
      .def(
          "labels",
          [](const Metric& self, const py::args& values, const py::kwargs& named) {
            return self.labels(LabelValues(self, values, named).view());
          },
          "The series of these label values, by position or by name; str() is applied to them.")
      .def(
          "remove",
          [](const Metric& self, const py::args& values) {
            self.remove(LabelValues(values).view());
          },
          "Removes the series of these label values, if there is one.")
      .def("clear", &Metric::clear, "Removes all series of a metric with labels.")
      .def_property_readonly("name", &Metric::name, "The name as exposed.")
      .def_property_readonly(
          "labelnames",
          [](const Metric& self) -> py::typing::Tuple<py::str, py::ellipsis> {
            return py::tuple(py::cast(self.label_names()));
          },
          "The names of the labels.");
}

// The labels of an exemplar, by name.
using ExemplarDict = std::optional<py::typing::Dict<py::str, py::str>>;

// Calls `record` with an exemplar, or without if there is none.
template <typename Record>
void with_exemplar(const ExemplarDict& labels, Record&& record) {
  if (!labels) {
    record(nullptr);
    return;
  }
  std::vector<py::str> texts;  // keep what the exemplar refers to alive
  Exemplar exemplar;
  for (const auto& [name, value] : *labels) {
    texts.emplace_back(name);
    const std::string_view name_view = utf8(texts.back(), "exemplar");
    texts.emplace_back(value);
    exemplar.labels.emplace_back(name_view, utf8(texts.back(), "exemplar"));
  }
  record(&exemplar);
}

Shown shown_with(bool python_backed) noexcept {
  return python_backed ? Shown::kAll : Shown::kWithoutSources;
}

py::typing::Tuple<py::bytes, py::str, py::str> render(const Registry& registry,
                                                      const std::string& accept,
                                                      const std::string& accept_encoding,
                                                      bool python_backed) {
  Exposition exposition;
  without_gil(
      [&] { exposition = registry.render({accept, accept_encoding}, shown_with(python_backed)); });
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
                         const Strings& labelnames, const std::optional<Floats>& buckets,
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
      .def(py::init(
               [](size_t max_series, bool native_histograms, bool created_series, bool monitors) {
                 auto registry = Registry::create({.max_series = max_series,
                                                   .native_histograms = native_histograms,
                                                   .created_series = created_series});
                 if (monitors) attach_monitors(*registry);
                 return registry;
               }),
           py::arg("max_series") = RegistryOptions{}.max_series,
           py::arg("native_histograms") = RegistryOptions{}.native_histograms,
           py::arg("created_series") = RegistryOptions{}.created_series,
           py::arg("monitors") = false)
      .def(
          "counter",
          [](Registry& self, const py::str& name, const py::str& help, const Strings& labelnames) {
            return self.counter(utf8(name, "metric name"), utf8(help, "help"),
                                label_names_of(labelnames));
          },
          py::arg("name"), py::arg("help") = "", py::arg("labelnames") = py::tuple(),
          "A new counter, exposed with `_total` at the end of its name.")
      .def(
          "gauge",
          [](Registry& self, const py::str& name, const py::str& help, const Strings& labelnames) {
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
          "render", &render, py::arg("accept") = "", py::arg("accept_encoding") = "",
          py::arg("python_backed") = true,
          "The exposition in the format that these HTTP headers like best: its bytes, its content\n"
          "type, and its content encoding (\"gzip\", or empty). The GIL is released meanwhile.\n"
          "`python_backed`: with the metrics that only Python can read.")
      .def(
          "family_names",
          [](const Registry& self, bool python_backed) {
            std::vector<std::string> names;
            without_gil([&] { names = self.family_names(shown_with(python_backed)); });
            return names;
          },
          py::arg("python_backed") = true,
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
  bind_metric<Counter>(m, "Counter", "A value that only grows. Made by Registry.counter().")
      .def(
          "inc",
          [](const Counter& self, double amount, const ExemplarDict& exemplar) {
            with_exemplar(exemplar, [&](const Exemplar* one) {
              one != nullptr ? self.inc(amount, *one) : self.inc(amount);
            });
          },
          py::arg("amount") = 1.0, py::arg("exemplar") = py::none(),
          "Adds `amount`, 0 or more. `exemplar`: labels that tell where it came from (a trace id).")
      .def_property_readonly("value", &Counter::value, "The present value.");
  bind_metric<Gauge>(m, "Gauge", "A value that goes up and down. Made by Registry.gauge().")
      .def("inc", &Gauge::inc, py::arg("amount") = 1.0, "Adds `amount`.")
      .def("dec", &Gauge::dec, py::arg("amount") = 1.0, "Subtracts `amount`.")
      .def("set", &Gauge::set, py::arg("value"), "Sets the value.")
      .def_property_readonly("value", &Gauge::value, "The present value.");
  bind_metric<Histogram>(m, "Histogram",
                         "Observations counted in buckets. Made by Registry.histogram().")
      .def(
          "observe",
          [](const Histogram& self, double value, const ExemplarDict& exemplar) {
            with_exemplar(exemplar, [&](const Exemplar* one) {
              one != nullptr ? self.observe(value, *one) : self.observe(value);
            });
          },
          py::arg("value"), py::arg("exemplar") = py::none(),
          "Counts one observation. `exemplar`: labels that tell where it came from (a trace id); "
          "it becomes its bucket's newest.");
  m.def("native_bucket_index", &native_bucket_index, py::arg("magnitude"), py::arg("schema"),
        "The native histogram bucket of a positive number; for tests.");
  bind_registry_class(m);
}

}  // namespace inferometer::python
