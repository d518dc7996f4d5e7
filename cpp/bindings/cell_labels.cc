#include "cell_labels.h"

#include <string>
#include <string_view>
#include <vector>

#include "cell_arguments.h"
#include "cell_object.h"

namespace inferometer::python {
namespace {

// A new reference to str(value), of exactly that type, so that comparing runs no Python code.
PyObject* text_of(PyObject* value) {
  if (PyUnicode_CheckExact(value)) return Py_NewRef(value);
  PyObject* const text = PyObject_Str(value);
  if (text == nullptr || PyUnicode_CheckExact(text)) return text;
  PyObject* const exact = PyUnicode_FromObject(text);
  Py_DECREF(text);
  return exact;
}

PyObject* key_by_position(PyObject* names, PyObject* const* values, Py_ssize_t count) {
  if (count != PyTuple_GET_SIZE(names)) {
    PyErr_SetString(PyExc_ValueError, "Incorrect label count");
    return nullptr;
  }
  PyObject* const key = PyTuple_New(count);
  for (Py_ssize_t i = 0; key != nullptr && i < count; ++i) {
    PyObject* const text = text_of(values[i]);
    if (text == nullptr) {
      Py_DECREF(key);
      return nullptr;
    }
    PyTuple_SET_ITEM(key, i, text);
  }
  return key;
}

// The index of `name` among the keywords, their number if it is not there, -1 on an error.
Py_ssize_t find_keyword(PyObject* keywords, PyObject* name) {
  const Py_ssize_t count = PyTuple_GET_SIZE(keywords);
  Py_ssize_t index = 0;
  while (index < count && PyTuple_GET_ITEM(keywords, index) != name) ++index;
  if (index < count) return index;  // both are interned as a rule
  for (index = 0; index < count; ++index) {
    const int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(keywords, index), name, Py_EQ);
    if (same < 0) return -1;
    if (same == 1) break;
  }
  return index;
}

PyObject* key_by_name(PyObject* names, PyObject* const* values, PyObject* keywords) {
  const Py_ssize_t count = PyTuple_GET_SIZE(names);
  const bool as_many = PyTuple_GET_SIZE(keywords) == count;
  PyObject* const key = as_many ? PyTuple_New(count) : nullptr;
  for (Py_ssize_t i = 0; key != nullptr && i < count; ++i) {
    const Py_ssize_t found = find_keyword(keywords, PyTuple_GET_ITEM(names, i));
    PyObject* const text = found < 0 || found == count ? nullptr : text_of(values[found]);
    if (text == nullptr) {
      Py_DECREF(key);
      if (found == count) PyErr_SetString(PyExc_ValueError, "Incorrect label names");
      return nullptr;
    }
    PyTuple_SET_ITEM(key, i, text);
  }
  if (!as_many) PyErr_SetString(PyExc_ValueError, "Incorrect label names");
  return key;
}

// `key`, or that of the overflow series if there is no room for a child of its own: then this
// counts as a dropped series. A new reference; null with an exception set for texts that are not
// UTF-8.
PyObject* key_with_room(const CellObject* self, PyObject* key) {
  std::vector<std::string> values;
  if (!take_texts(key, "label value", values)) return nullptr;
  bool room = false;
  const bool asked = guarded([&] {
    const std::vector<std::string_view> views(values.begin(), values.end());
    room = self->family->has_room_for(views);
    if (!room) (void)self->family->get(views);
  });
  if (!asked || room) return asked ? Py_NewRef(key) : nullptr;
  const Py_ssize_t count = PyTuple_GET_SIZE(key);
  PyObject* const text = PyUnicode_FromStringAndSize(
      kOverflowLabel.data(), static_cast<Py_ssize_t>(kOverflowLabel.size()));
  PyObject* const overflow = text == nullptr ? nullptr : PyTuple_New(count);
  for (Py_ssize_t i = 0; overflow != nullptr && i < count; ++i) {
    PyTuple_SET_ITEM(overflow, i, Py_NewRef(text));
  }
  Py_XDECREF(text);
  return overflow;
}

// A new reference to the child of `key`, null without an exception if there is none.
PyObject* find_child(const CellObject* self, PyObject* key) {
  PyObject* const child = PyDict_GetItemWithError(self->children, key);
  Py_XINCREF(child);
  return child;
}

// A new reference to the child of `key`, which is made.
PyObject* make_child(PyObject* object, PyObject* key) {
  CellObject* const self = cell_object_of(object);
  PyObject* const made = PyObject_CallMethod(object, "_new_child", "(O)", key);
  if (made == nullptr) return nullptr;
  if (PyObject_TypeCheck(made, Py_TYPE(object)) == 0 || cell_object_of(made)->parent != object) {
    PyErr_Format(PyExc_TypeError, "_new_child() returned %s, want a child of this metric",
                 Py_TYPE(made)->tp_name);
    Py_DECREF(made);
    return nullptr;
  }
  // _open_child() made it known, unless another thread was faster: then there is one child all the
  // same. If there is none, it was removed meanwhile.
  PyObject* const child = find_child(self, key);
  if (child == nullptr && PyErr_Occurred() == nullptr) return made;
  Py_DECREF(made);
  return child;
}

PyObject* find_or_make_child(PyObject* object, PyObject* key) {
  const CellObject* const self = cell_object_of(object);
  PyObject* child = find_child(self, key);
  if (child != nullptr || PyErr_Occurred() != nullptr) return child;
  PyObject* const allowed = key_with_room(self, key);
  if (allowed == nullptr) return nullptr;
  if (allowed != key) child = find_child(self, allowed);
  if (child == nullptr && PyErr_Occurred() == nullptr) child = make_child(object, allowed);
  Py_DECREF(allowed);
  return child;
}

// Why labels() cannot be: Python's message names the metric.
PyObject* refuse_labels(PyObject* object) {
  return PyObject_CallMethod(object, "_refuse_labels", nullptr);
}

}  // namespace

PyObject* metric_labels(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                        PyObject* keywords) {
  CellObject* const self = cell_object_of(object);
  if (self->children == nullptr) return refuse_labels(object);
  if (count > 0 && keywords != nullptr && PyTuple_GET_SIZE(keywords) > 0) {
    PyErr_SetString(PyExc_ValueError, "Can't pass both *args and **kwargs");
    return nullptr;
  }
  PyObject* const key = keywords != nullptr && PyTuple_GET_SIZE(keywords) > 0
                            ? key_by_name(self->label_names, arguments, keywords)
                            : key_by_position(self->label_names, arguments, count);
  if (key == nullptr) return nullptr;
  PyObject* const child = find_or_make_child(object, key);
  Py_DECREF(key);
  return child;
}

PyObject* drop_child(PyObject* object, PyObject* values) {
  CellObject* const self = cell_object_of(object);
  if (self->children == nullptr) return refuse_labels(object);
  PyObject* const child = PyDict_GetItemWithError(self->children, values);
  if (child == nullptr) {
    if (PyErr_Occurred() != nullptr) return nullptr;
    Py_RETURN_NONE;
  }
  std::vector<std::string> texts;
  if (!take_texts(values, "label value", texts)) return nullptr;
  // The family first: dropping the last reference may run Python code.
  Py_INCREF(child);
  const bool dropped = guarded([&] {
                         const std::vector<std::string_view> views(texts.begin(), texts.end());
                         self->family->remove(views);
                       }) &&
                       PyDict_DelItem(self->children, values) == 0;
  Py_DECREF(child);
  if (!dropped) return nullptr;
  Py_RETURN_NONE;
}

PyObject* drop_children(PyObject* object, PyObject* /*unused*/) {
  CellObject* const self = cell_object_of(object);
  if (self->children == nullptr) return refuse_labels(object);
  if (!guarded([&] { self->family->clear(); })) return nullptr;
  PyDict_Clear(self->children);
  Py_RETURN_NONE;
}

}  // namespace inferometer::python
