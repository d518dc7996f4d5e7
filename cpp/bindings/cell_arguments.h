// Reading the arguments of raw C methods.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inferometer/errors.h"

namespace inferometer::python {

/// Runs `function`; a C++ exception becomes a Python one, and false is returned.
template <typename Function>
bool guarded(Function&& function) noexcept {
  try {
    function();
    return true;
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const Error& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return false;
}

/// Sorts what a METH_FASTCALL | METH_KEYWORDS method got into `values`, null where nothing was
/// given. False with TypeError set for too many arguments, an unknown name or one given twice.
template <size_t N>
bool take_arguments(const char* method, const std::array<const char*, N>& names,
                    PyObject* const* arguments, Py_ssize_t count, PyObject* keywords,
                    std::array<PyObject*, N>& values) {
  values.fill(nullptr);
  if (count > static_cast<Py_ssize_t>(N)) {
    PyErr_Format(PyExc_TypeError, "%s() got %zd positional arguments, want at most %zu", method,
                 count, N);
    return false;
  }
  for (Py_ssize_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = arguments[i];
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t k = 0; k < named; ++k) {
    PyObject* const name = PyTuple_GET_ITEM(keywords, k);
    size_t i = 0;
    while (i < N && PyUnicode_CompareWithASCIIString(name, names[i]) != 0) ++i;
    if (i == N || values[i] != nullptr) {
      PyErr_Format(PyExc_TypeError, "%s() got %s argument %R", method,
                   i == N ? "an unexpected" : "a second", name);
      return false;
    }
    values[i] = arguments[count + k];
  }
  return true;
}

/// A Python number as a double. False with an exception set if it is none.
inline bool take_number(PyObject* number, double& value) {
  if (PyFloat_CheckExact(number)) {
    value = PyFloat_AS_DOUBLE(number);
    return true;
  }
  value = PyLong_CheckExact(number) ? PyLong_AsDouble(number) : PyFloat_AsDouble(number);
  return value != -1.0 || PyErr_Occurred() == nullptr;
}

/// The UTF-8 of a str. False with TypeError or ValueError set if it is none or has lone surrogates.
inline bool take_text(PyObject* text, const char* what, std::string& value) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "%s: got %s, want str", what, Py_TYPE(text)->tp_name);
    return false;
  }
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(text, &size);
  if (data == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_UnicodeError) != 0) {
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError, "%s: got text with lone surrogates, want valid Unicode", what);
    }
    return false;
  }
  return guarded([&] { value.assign(data, static_cast<size_t>(size)); });
}

/// The UTF-8 of the members of a tuple of str. False with an exception set as by take_text().
inline bool take_texts(PyObject* sequence, const char* what, std::vector<std::string>& texts) {
  if (!PyTuple_Check(sequence)) {
    PyErr_Format(PyExc_TypeError, "%s: got %s, want a tuple", what, Py_TYPE(sequence)->tp_name);
    return false;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sequence); ++i) {
    std::string text;
    if (!take_text(PyTuple_GET_ITEM(sequence, i), what, text)) return false;
    if (!guarded([&] { texts.push_back(std::move(text)); })) return false;
  }
  return true;
}

}  // namespace inferometer::python
