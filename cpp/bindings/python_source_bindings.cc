#include "python_source_bindings.h"

#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gil.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Collectors of numbers take a millisecond or less. A scraper gives up after 10 s by default and
// scrapes every 15 s or more: this is long enough for a thread to get the GIL from others that
// compute, and short enough to go unnoticed where something holds on to it.
constexpr int64_t kPatienceNs = 100'000'000;

using Strings = std::vector<std::string>;
using Floats = std::vector<double>;

}  // namespace

PythonFamilies::PythonFamilies(std::shared_ptr<Registry> registry, const py::object& function)
    : registry_(std::move(registry)), source_(std::make_shared<PythonSource>(function)) {}

void PythonFamilies::show(bool shown) {
  if (shown == shown_) return;
  if (shown) {
    registry_->add_source(source_, kPatienceNs);
  } else {
    registry_->remove_source(*source_);
  }
  shown_ = shown;
}

void bind_python_source(py::module_& m) {
  py::class_<FamilyList, std::shared_ptr<FamilyList>>(
      m, "FamilyList", "Metric families that Python code gives to a native exposition.")
      .def(py::init())
      .def("family", &FamilyList::family, py::arg("name"), py::arg("help"), py::arg("type"),
           "Begins a family; its series follow.")
      .def(
          "scalar",
          [](FamilyList& self, Strings names, Strings values, double value, int64_t timestamp_ms) {
            self.scalar({std::move(names), std::move(values), timestamp_ms}, value);
          },
          py::arg("labelnames"), py::arg("labelvalues"), py::arg("value"),
          py::arg("timestamp_ms") = 0, "A counter, gauge or untyped series.")
      .def(
          "histogram",
          [](FamilyList& self, Strings names, Strings values, Floats bounds,
             std::vector<uint64_t> cumulative, double sum, int64_t timestamp_ms) {
            self.histogram({std::move(names), std::move(values), timestamp_ms}, std::move(bounds),
                           std::move(cumulative), sum);
          },
          py::arg("labelnames"), py::arg("labelvalues"), py::arg("bounds"), py::arg("cumulative"),
          py::arg("sum"), py::arg("timestamp_ms") = 0, "A histogram; the bounds end with infinity.")
      .def(
          "summary",
          [](FamilyList& self, Strings names, Strings values, Floats quantiles,
             Floats quantile_values, uint64_t count, double sum, int64_t timestamp_ms) {
            self.summary({std::move(names), std::move(values), timestamp_ms}, std::move(quantiles),
                         std::move(quantile_values), count, sum);
          },
          py::arg("labelnames"), py::arg("labelvalues"), py::arg("quantiles"),
          py::arg("quantile_values"), py::arg("count"), py::arg("sum"), py::arg("timestamp_ms") = 0,
          "A summary.")
      .def("drop", &FamilyList::drop, "Counts a series that cannot be represented.")
      .def("fail", &FamilyList::fail, "Counts a collector that failed.")
      .def("extend", &FamilyList::extend, py::arg("other"), "Moves everything from another list.");

  py::class_<PythonFamilies>(m, "PythonFamilies",
                             "The families that a Python function gives, in a native exposition.",
                             py::release_gil_before_calling_cpp_dtor())
      .def(py::init<std::shared_ptr<Registry>, const py::typing::Callable<void(FamilyList)>&>(),
           py::arg("registry").none(false), py::arg("collect"))
      .def_property(
          "shown", &PythonFamilies::shown,
          [](PythonFamilies& self, bool shown) { without_gil([&] { self.show(shown); }); },
          "Whether they are in the exposition.");
}

}  // namespace inferometer::python
