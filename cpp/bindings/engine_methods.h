// The methods of `_core.Engine` that make requests: raw C methods, so that a request is one C call.
#pragma once

#include <pybind11/pybind11.h>

namespace inferometer::python {

/// Adds infer(), submit() and their kin to the type.
void add_request_methods(const pybind11::handle& engine_type);

// Those for asyncio and for many requests at once; each in a file of its own.
PyObject* infer_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* keywords);
PyObject* infer_one_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                          PyObject* keywords);
PyObject* infer_item_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords);
PyObject* infer_many(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                     PyObject* keywords);
/// A list with a Pending for each request.
PyObject* infer_each_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords);

}  // namespace inferometer::python
