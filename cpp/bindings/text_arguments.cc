#include "text_arguments.h"

#include <string>

#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {

std::optional<std::string_view> utf8_of(PyObject* text) noexcept {
  if (PyUnicode_Check(text) == 0) return std::nullopt;
  Py_ssize_t bytes = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(text, &bytes);
  if (data == nullptr) {
    PyErr_Clear();
    return std::nullopt;
  }
  return std::string_view(data, static_cast<size_t>(bytes));
}

std::string_view utf8(const py::str& text, const char* what) {
  if (const auto found = utf8_of(text.ptr())) return *found;
  throw ConfigError(std::string(what) + ": got text with lone surrogates, want valid Unicode");
}

Registry::LabelSet label_set_of(const LabelsArgument& labels) {
  Registry::LabelSet set;
  if (!labels) return set;
  // A copy: str() may run code that changes the dict, and then the names and values in it are gone.
  const auto copy = py::reinterpret_steal<py::dict>(PyDict_Copy(labels->ptr()));
  if (!copy) throw py::error_already_set();
  for (const auto& [key, value] : copy) {
    set.emplace(utf8(py::str(key), "label name"), utf8(py::str(value), "label value"));
  }
  return set;
}

}  // namespace inferometer::python
