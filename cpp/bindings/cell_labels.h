// From label values to children.
#pragma once

#include <Python.h>

namespace inferometer::python {

/// The method `labels`: one look-up in a dict for a child that exists. A new one is made by the
/// Python method `_new_child(values)`, and shown by the family from then on.
PyObject* metric_labels(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                        PyObject* keywords);
/// The method `_drop_child`.
PyObject* drop_child(PyObject* object, PyObject* values);
/// The method `_drop_children`.
PyObject* drop_children(PyObject* object, PyObject* unused);

}  // namespace inferometer::python
