#include "pending_attributes.h"

#include <array>
#include <cstring>

#include "pending_methods.h"
#include "pending_object.h"

// A task that awaits a future of another type than asyncio's own asks it for four attributes, by
// name, at every await. Found through the type they took 2,670 of 11,600 instructions of an awaited
// request (callgrind), and take 1,460 so; nobody can derive from the type or change it, so they can
// be told by their names alone.

namespace py = pybind11;

namespace inferometer::python {
namespace {

struct Known {
  const char* text;
  PyObject* name = nullptr;  // interned, as asyncio's is: the same object
  PyMethodDef* method = nullptr;
};

// Filled in once by look_up_pending_attributes(), under the GIL; they live as long as the process.
constexpr size_t kResult = 0;
std::array<Known, 3> known{{{"result"}, {"add_done_callback"}, {"get_loop"}}};
PyObject* blocking_name = nullptr;

PyObject* interned_name(const char* text) {
  PyObject* const name = PyUnicode_InternFromString(text);
  if (name == nullptr) throw py::error_already_set();
  return name;
}

}  // namespace

void look_up_pending_attributes() {
  blocking_name = interned_name("_asyncio_future_blocking");
  for (Known& one : known) {
    one.name = interned_name(one.text);
    one.method = pending_methods();
    while (std::strcmp(one.method->ml_name, one.text) != 0) ++one.method;
  }
}

PyObject* pending_attribute(PyObject* object, PyObject* name) {
  if (name == blocking_name) return PyBool_FromLong(pending_of(object)->blocking ? 1 : 0);
  for (const Known& one : known) {
    if (name == one.name) return PyCFunction_New(one.method, object);
  }
  return PyObject_GenericGetAttr(object, name);
}

PyObject* pending_attribute_by_text(PyObject* object, char* name) {
  if (std::strcmp(name, known[kResult].text) == 0) {
    return PyCFunction_New(known[kResult].method, object);
  }
  PyObject* const text = PyUnicode_InternFromString(name);
  if (text == nullptr) return nullptr;
  PyObject* const value = pending_attribute(object, text);
  Py_DECREF(text);
  return value;
}

}  // namespace inferometer::python
