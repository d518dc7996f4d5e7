#include "cell_object.h"

#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cell_arguments.h"
#include "cell_exemplars.h"
#include "cell_labels.h"
#include "cell_open.h"
#include "fast_method.h"

namespace inferometer::python {
namespace {

PyObject* new_cell_object(PyTypeObject* type, PyObject* /*args*/, PyObject* /*kwargs*/) {
  PyObject* const object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  CellObject* const self = cell_object_of(object);
  new (&self->owned) std::shared_ptr<ValueCell>();
  new (&self->family) std::shared_ptr<CellFamily>();
  return object;
}

int traverse_cell(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(cell_object_of(object)->label_names);
  Py_VISIT(cell_object_of(object)->label_values);
  Py_VISIT(cell_object_of(object)->parent);
  Py_VISIT(cell_object_of(object)->children);
  return 0;
}

// The cells stay: another thread may be recording in them.
int clear_cell(PyObject* object) {
  Py_CLEAR(cell_object_of(object)->parent);
  Py_CLEAR(cell_object_of(object)->children);
  return 0;
}

void deallocate_cell(PyObject* object) {
  PyObject_GC_UnTrack(object);
  CellObject* const self = cell_object_of(object);
  PyTypeObject* const type = Py_TYPE(object);
  Py_CLEAR(self->label_names);
  Py_CLEAR(self->label_values);
  Py_CLEAR(self->parent);
  Py_CLEAR(self->children);
  self->owned.~shared_ptr();
  self->family.~shared_ptr();
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* get_created(PyObject* object, void* /*closure*/) {
  const ValueCell* const cell = cell_of(object);
  return cell == nullptr ? nullptr : PyFloat_FromDouble(cell->created());
}

int set_created(PyObject* object, PyObject* value, void* /*closure*/) {
  double seconds = 0;
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "_created cannot be deleted");
    return -1;
  }
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr || !take_number(value, seconds)) return -1;
  cell->set_created(seconds);
  return 0;
}

PyObject* get_children(PyObject* object, void* /*closure*/) {
  PyObject* const children = cell_object_of(object)->children;
  if (children == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "only a metric with labels has children");
    return nullptr;
  }
  return PyDictProxy_New(children);
}

PyObject* get_label_values(PyObject* object, void* /*closure*/) {
  PyObject* const values = cell_object_of(object)->label_values;
  return values == nullptr ? PyTuple_New(0) : Py_NewRef(values);
}

PyObject* get_parent(PyObject* object, void* /*closure*/) {
  PyObject* const parent = cell_object_of(object)->parent;
  return Py_NewRef(parent == nullptr ? Py_None : parent);
}

PyObject* get_left_to_python(PyObject* object, void* /*closure*/) {
  const CellObject* const self = cell_object_of(object);
  return PyBool_FromLong(self->family != nullptr && self->family->left_to_python() ? 1 : 0);
}

PyMethodDef base_methods[] = {
    {"labels", method(metric_labels), kFast,
     "labels($self, /, *labelvalues, **labelkwargs)\n--\n\n"
     "The child of these label values, by position or by name; str() is applied to them."},
    {"_open", method(open_cell), kFast,
     "Makes the native family, and its cell if there are no labels."},
    {"_open_child", method(open_child_cell), METH_FASTCALL,
     "Makes the cell of a child of `parent`, which then knows the child."},
    {"_attach", attach_cell, METH_O, "Shows the family in a native registry too."},
    {"_detach", detach_cell, METH_O, "Shows it there no more."},
    {"_drop_child", drop_child, METH_O,
     "Removes the child of these values, if there is "
     "one."},
    {"_drop_children", drop_children, METH_NOARGS,
     "_drop_children($self, /)\n--\n\nRemoves all children."},
    {"_set_exemplar", set_exemplar, METH_VARARGS,
     "Keeps the newest exemplar of a bucket; a counter has one, at 0."},
    {"_exemplar", read_exemplar, METH_O,
     "Labels, value and time of an exemplar, None if there is none."},
    {"_leave_to_python", leave_cell_to_python, METH_NOARGS,
     "_leave_to_python($self, /)\n--\n\nLeaves this family to Python's writer from now on."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef base_properties[] = {
    {"_created", get_created, set_created, "When it was made, in seconds since the epoch.",
     nullptr},
    {"_metrics", get_children, nullptr, "The children by their label values, read-only.", nullptr},
    {"_labelvalues", get_label_values, nullptr, "The label values of a child.", nullptr},
    {"_parent", get_parent, nullptr, "Whose child this is; None for others.", nullptr},
    {"_left_to_python", get_left_to_python, nullptr, "Whether only Python knows a value.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyTypeObject* add_type(PyObject* module, const char* name, const char* doc, PyMethodDef* methods,
                       PyGetSetDef* properties, PyObject* bases) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(new_cell_object)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(deallocate_cell)},
                         {Py_tp_traverse, reinterpret_cast<void*>(traverse_cell)},
                         {Py_tp_clear, reinterpret_cast<void*>(clear_cell)},
                         {Py_tp_methods, methods},
                         {Py_tp_doc, const_cast<char*>(doc)},
                         {properties == nullptr ? 0 : Py_tp_getset, properties},
                         {0, nullptr}};
  PyType_Spec spec = {name, static_cast<int>(sizeof(CellObject)), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  PyObject* const type = PyType_FromModuleAndSpec(module, &spec, bases);
  if (type == nullptr) return nullptr;
  if (PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type)) != 0) {
    Py_DECREF(type);
    return nullptr;
  }
  return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace

void refuse_without_cell(const CellObject* self) {
  if (self->family == nullptr) {
    PyErr_SetString(PyExc_TypeError,
                    "got an object that was never initialised: make it by calling its class");
    return;
  }
  PyErr_Format(PyExc_ValueError, "%s metric is missing label values",
               cell_type_name(self->family->spec().type));
}

PyTypeObject* make_metric_cell_type(PyObject* module) {
  return add_type(module, "inferometer._core.MetricCell",
                  "What every metric of inferometer.prometheus is underneath.", base_methods,
                  base_properties, nullptr);
}

PyTypeObject* make_cell_type(PyObject* module, PyTypeObject* base, const char* name,
                             const char* doc, PyMethodDef* methods) {
  PyObject* const bases = PyTuple_Pack(1, base);
  if (bases == nullptr) return nullptr;
  PyTypeObject* const type = add_type(module, name, doc, methods, nullptr, bases);
  Py_DECREF(bases);
  return type;
}

}  // namespace inferometer::python
