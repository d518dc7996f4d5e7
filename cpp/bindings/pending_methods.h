// What a Pending can do as a future and as a coroutine.
#pragma once

#include <Python.h>

namespace inferometer::python {

[[nodiscard]] PyMethodDef* pending_methods() noexcept;
[[nodiscard]] PyGetSetDef* pending_properties() noexcept;

/// The slots `am_send`, `tp_iternext` and `tp_repr`.
PySendResult pending_send(PyObject* object, PyObject* value, PyObject** result);
PyObject* pending_next(PyObject* object);
PyObject* pending_repr(PyObject* object);

}  // namespace inferometer::python
