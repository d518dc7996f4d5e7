// The native side of inferometer.prometheus.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds the types that its metrics derive from (MetricCell, CounterCell, GaugeCell, SummaryCell,
/// HistogramCell, InfoCell, EnumCell) and render_cells(), which writes them without the GIL.
void bind_prometheus_cells(pybind11::module_& m);

}  // namespace inferometer::python
