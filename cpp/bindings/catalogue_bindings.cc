#include "catalogue_bindings.h"

#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "telemetry/record/family_spec.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Name, type, label names, upper bounds of the buckets as exposed, HELP, when it counts.
using Row = std::tuple<std::string, std::string, std::vector<std::string>, std::vector<std::string>,
                       std::string, std::string>;

std::vector<Row> rows() {
  std::vector<Row> rows;
  for (const MetricInfo& info : catalogue()) {
    const FamilySpec spec = FamilySpec::of(info);
    rows.emplace_back(spec.name, std::string(metric_type_name(spec.type)), spec.label_names,
                      spec.le, spec.help, std::string(info.when));
  }
  return rows;
}

}  // namespace

void bind_catalogue(py::module_& m) {
  m.def("catalogue", &rows,
        "The metrics that the library itself emits, in order of exposition: name, type, label\n"
        "names, bucket bounds, HELP, when it counts.");
}

}  // namespace inferometer::python
