// Label pairs and exemplars on their way between Python and the cells.
#pragma once

#include <Python.h>

#include <cstddef>

#include "telemetry/cells/value_cell.h"

namespace inferometer::python {

/// Reads an iterable of pairs of str. False with an exception set if it is none.
[[nodiscard]] bool take_pairs(PyObject* pairs, LabelPairs& labels);
/// The pairs as a dict; null with an exception set on failure.
[[nodiscard]] PyObject* dict_of(const LabelPairs& labels);

/// Has Python check the exemplar (None and an empty one are none), ask for the time and call
/// _set_exemplar(). False with an exception set if it is invalid.
[[nodiscard]] bool record_exemplar(PyObject* object, size_t index, PyObject* exemplar,
                                   double amount);
/// The method `_set_exemplar`.
PyObject* set_exemplar(PyObject* object, PyObject* arguments);
/// The method `_exemplar`.
PyObject* read_exemplar(PyObject* object, PyObject* index);

}  // namespace inferometer::python
