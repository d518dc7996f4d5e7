#include "prometheus_cells.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cell_methods.h"
#include "cell_object.h"
#include "gil.h"
#include "telemetry/write/cell_writer.h"
#include "telemetry/write/number.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

constexpr size_t kSpareBytes = 4096;

using Families = std::vector<std::shared_ptr<CellFamily>>;

Families families_of(const py::typing::Iterable<py::object>& metrics, PyTypeObject* metric_type) {
  Families families;
  for (const py::handle metric : metrics) {
    if (PyObject_TypeCheck(metric.ptr(), metric_type) == 0) {
      throw py::type_error("metrics: got " + std::string(Py_TYPE(metric.ptr())->tp_name) +
                           ", want MetricCell");
    }
    const auto& family = reinterpret_cast<CellObject*>(metric.ptr())->family;
    if (family == nullptr) {
      throw py::type_error("metrics: got an object that was never initialised");
    }
    if (family->spec().type == CellType::kInfo || family->spec().type == CellType::kStateSet) {
      throw py::value_error("metrics: info and stateset are written by Python");
    }
    families.push_back(family);
  }
  return families;
}

py::bytes render(const Families& families, const CellWriting& writing) {
  // Growing a megabyte step by step costs more than writing it.
  static std::atomic<size_t> last_bytes{0};
  std::string text;
  without_gil([&] {
    text.reserve(last_bytes.load(std::memory_order_relaxed) + kSpareBytes);
    for (const auto& family : families) append_cell_family(text, *family, writing);
    last_bytes.store(text.size(), std::memory_order_relaxed);
  });
  return py::bytes(text);
}

}  // namespace

void bind_prometheus_cells(py::module_& m) {
  PyTypeObject* const base = make_metric_cell_type(m.ptr());
  if (base == nullptr || !add_recording_types(m.ptr(), base)) throw py::error_already_set();
  m.def("float_text", &float_text, py::arg("value"),
        "The text of a number, the way Go and so Prometheus writes it.");
  m.def(
      "render_cells",
      [base](const py::typing::Iterable<py::object>& metrics, bool openmetrics, bool created) {
        return render(families_of(metrics, base),
                      {openmetrics ? CellFormat::kOpenMetrics : CellFormat::kPlain, created});
      },
      py::arg("metrics"), py::arg("openmetrics"), py::arg("created"),
      "The text of these metrics, without OpenMetrics' `# EOF`. The GIL is released meanwhile.");
}

}  // namespace inferometer::python
