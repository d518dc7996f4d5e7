// From a metric's description to its native family, and where that is shown.
#pragma once

#include <Python.h>

namespace inferometer::python {

/// The method `_open`: makes the family of a metric, and its cell if there are no labels.
PyObject* open_cell(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords);
/// The method `_open_child`: gives a child of `parent` the cell of its label values.
PyObject* open_child_cell(PyObject* object, PyObject* const* arguments, Py_ssize_t count);
/// The methods `_attach` and `_detach`: a native registry shows the family too, or no more.
PyObject* attach_cell(PyObject* object, PyObject* registry);
PyObject* detach_cell(PyObject* object, PyObject* registry);
/// The method `_leave_to_python`.
PyObject* leave_cell_to_python(PyObject* object, PyObject* unused);

}  // namespace inferometer::python
