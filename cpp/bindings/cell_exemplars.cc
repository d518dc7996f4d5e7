#include "cell_exemplars.h"

#include <optional>
#include <string>
#include <utility>

#include "cell_arguments.h"
#include "cell_object.h"

namespace inferometer::python {

bool take_pairs(PyObject* pairs, LabelPairs& labels) {
  PyObject* const iterator = PyObject_GetIter(pairs);
  if (iterator == nullptr) return false;
  bool good = true;
  while (good) {
    PyObject* const pair = PyIter_Next(iterator);
    if (pair == nullptr) break;
    std::string name;
    std::string value;
    good = PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2;
    if (!good) PyErr_SetString(PyExc_TypeError, "labels: want pairs of name and value");
    good = good && take_text(PyTuple_GET_ITEM(pair, 0), "label name", name) &&
           take_text(PyTuple_GET_ITEM(pair, 1), "label value", value) &&
           guarded([&] { labels.emplace_back(std::move(name), std::move(value)); });
    Py_DECREF(pair);
  }
  Py_DECREF(iterator);
  return good && PyErr_Occurred() == nullptr;
}

PyObject* dict_of(const LabelPairs& labels) {
  PyObject* const result = PyDict_New();
  for (const auto& [name, value] : labels) {
    PyObject* const text =
        result == nullptr
            ? nullptr
            : PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), nullptr);
    PyObject* const key =
        text == nullptr
            ? nullptr
            : PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), nullptr);
    const bool stored = key != nullptr && PyDict_SetItem(result, key, text) == 0;
    Py_XDECREF(key);
    Py_XDECREF(text);
    if (!stored) {
      Py_XDECREF(result);
      return nullptr;
    }
  }
  return result;
}

PyObject* set_exemplar(PyObject* object, PyObject* arguments) {
  Py_ssize_t index = 0;
  PyObject* pairs = nullptr;
  CellExemplar exemplar;
  if (PyArg_ParseTuple(arguments, "nOdd:_set_exemplar", &index, &pairs, &exemplar.value,
                       &exemplar.timestamp) == 0) {
    return nullptr;
  }
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr || !take_pairs(pairs, exemplar.labels)) return nullptr;
  if (!guarded([&] { cell->set_exemplar(static_cast<size_t>(index), std::move(exemplar)); })) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* read_exemplar(PyObject* object, PyObject* argument) {
  const Py_ssize_t index = PyNumber_AsSsize_t(argument, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred() != nullptr) return nullptr;
  const ValueCell* const cell = cell_of(object);
  std::optional<CellExemplar> newest;
  if (cell == nullptr || !guarded([&] { newest = cell->exemplar(static_cast<size_t>(index)); })) {
    return nullptr;
  }
  if (!newest) Py_RETURN_NONE;
  PyObject* const labels = dict_of(newest->labels);
  return labels == nullptr ? nullptr
                           : Py_BuildValue("(Ndd)", labels, newest->value, newest->timestamp);
}

bool record_exemplar(PyObject* object, size_t index, PyObject* exemplar, double amount) {
  const int given = exemplar == nullptr ? 0 : PyObject_IsTrue(exemplar);
  if (given <= 0) return given == 0;
  PyObject* const done = PyObject_CallMethod(object, "_record_exemplar", "nOd",
                                             static_cast<Py_ssize_t>(index), exemplar, amount);
  Py_XDECREF(done);
  return done != nullptr;
}

}  // namespace inferometer::python
