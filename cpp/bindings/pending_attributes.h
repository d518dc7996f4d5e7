// What asyncio's tasks ask a Pending for at every await, without a look through its type.
#pragma once

#include <Python.h>

namespace inferometer::python {

/// Once, before the type is made.
void look_up_pending_attributes();

/// The slot `tp_getattro`.
PyObject* pending_attribute(PyObject* object, PyObject* name);
/// The slot `tp_getattr`: by a C string, which is how tasks of Python 3.10 to 3.12 ask for
/// `result`; a string object would be made of it first.
PyObject* pending_attribute_by_text(PyObject* object, char* name);

}  // namespace inferometer::python
