// What the metrics of inferometer.prometheus can do: the types that record.
#pragma once

#include <Python.h>

namespace inferometer::python {

/// Adds CounterCell, GaugeCell, SummaryCell, HistogramCell, InfoCell and EnumCell, all derived from
/// `base`. False with an exception set on failure.
[[nodiscard]] bool add_recording_types(PyObject* module, PyTypeObject* base);

}  // namespace inferometer::python
