#include "cell_open.h"

#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cell_arguments.h"
#include "cell_object.h"
#include "inferometer/registry.h"
#include "telemetry/record/registry_core.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

bool take_bounds(PyObject* sequence, std::shared_ptr<const CellBounds>& bounds) {
  if (!PyTuple_Check(sequence)) {
    PyErr_Format(PyExc_TypeError, "bounds: got %s, want a tuple", Py_TYPE(sequence)->tp_name);
    return false;
  }
  std::vector<double> upper;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sequence); ++i) {
    double bound = 0;
    if (!take_number(PyTuple_GET_ITEM(sequence, i), bound)) return false;
    if (!guarded([&] { upper.push_back(bound); })) return false;
  }
  return guarded([&] { bounds = CellBounds::of(std::move(upper)); });
}

constexpr std::pair<const char*, CellType> kCellTypes[] = {
    {"counter", CellType::kCounter}, {"gauge", CellType::kGauge},
    {"summary", CellType::kSummary}, {"histogram", CellType::kHistogram},
    {"info", CellType::kInfo},       {"stateset", CellType::kStateSet}};

bool take_type(PyObject* text, CellType& type) {
  for (const auto& [name, value] : kCellTypes) {
    if (PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, name) == 0) {
      type = value;
      return true;
    }
  }
  PyErr_Format(PyExc_ValueError, "type: got %R, want the type of a metric", text);
  return false;
}

bool not_open(const CellObject* self) {
  if (self->family == nullptr) return true;
  PyErr_SetString(PyExc_RuntimeError, "this metric was initialised before");
  return false;
}

// The core of a registry; null with an exception set if it is none, or was never initialised.
RegistryCore* core_of(PyObject* registry) {
  if (!py::isinstance<Registry>(registry)) {
    PyErr_Format(PyExc_TypeError, "registry: got %s, want Registry", Py_TYPE(registry)->tp_name);
    return nullptr;
  }
  RegistryCore* core = nullptr;
  const bool found =
      guarded([&] { core = &py::cast<const Registry&>(py::handle(registry)).core(); });
  return found ? core : nullptr;
}

}  // namespace

const char* cell_type_name(CellType type) noexcept {
  const char* result = "";
  for (const auto& [name, value] : kCellTypes) {
    if (value == type) result = name;
  }
  return result;
}

PyObject* open_cell(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords) {
  enum : uint8_t { kType, kName, kHelp, kUnit, kLabelNames, kBounds, kRegistry, kCount };
  std::array<PyObject*, kCount> values;
  CellObject* const self = cell_object_of(object);
  if (!take_arguments<kCount>(
          "_open", {"type", "name", "documentation", "unit", "labelnames", "bounds", "registry"},
          arguments, count, keywords, values) ||
      !not_open(self)) {
    return nullptr;
  }
  for (PyObject* value : values) {
    if (value == nullptr) {
      PyErr_SetString(PyExc_TypeError, "_open() wants seven arguments");
      return nullptr;
    }
  }
  CellSpec spec;
  if (!take_type(values[kType], spec.type) || !take_text(values[kName], "metric name", spec.name) ||
      !take_text(values[kHelp], "documentation", spec.help) ||
      !take_text(values[kUnit], "unit", spec.unit) ||
      !take_texts(values[kLabelNames], "label name", spec.label_names)) {
    return nullptr;
  }
  if (spec.type == CellType::kHistogram && !take_bounds(values[kBounds], spec.bounds)) {
    return nullptr;
  }
  RegistryCore* const core = core_of(values[kRegistry]);
  if (core == nullptr) return nullptr;
  PyObject* const children = spec.label_names.empty() ? nullptr : PyDict_New();
  if (!spec.label_names.empty() && children == nullptr) return nullptr;
  const bool made = guarded([&] {
    auto family = std::make_shared<CellFamily>(std::move(spec), core->storage());
    if (children == nullptr) {
      self->owned = family->get({});
      self->cell = self->owned.get();
    }
    self->family = std::move(family);
  });
  if (!made) {
    Py_XDECREF(children);
    return nullptr;
  }
  self->label_names = Py_NewRef(values[kLabelNames]);
  self->children = children;
  Py_RETURN_NONE;
}

PyObject* open_child_cell(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
  CellObject* const self = cell_object_of(object);
  if (count != 2 || PyObject_TypeCheck(arguments[0], Py_TYPE(object)) == 0 ||
      cell_object_of(arguments[0])->children == nullptr) {
    PyErr_SetString(PyExc_TypeError, "_open_child() wants a metric with labels and their values");
    return nullptr;
  }
  const CellObject* const parent = cell_object_of(arguments[0]);
  PyObject* const key = arguments[1];
  std::vector<std::string> values;
  if (!not_open(self) || !take_texts(key, "label value", values)) return nullptr;
  if (values.size() != parent->family->spec().label_names.size()) {
    PyErr_SetString(PyExc_ValueError, "Incorrect label count");
    return nullptr;
  }
  const std::vector<std::string_view> views(values.begin(), values.end());
  if (!guarded([&] { self->owned = parent->family->get(views); })) return nullptr;
  self->family = parent->family;
  self->cell = self->owned.get();
  self->label_names = Py_NewRef(parent->label_names);
  self->label_values = Py_NewRef(key);
  self->parent = Py_NewRef(arguments[0]);
  self->most_recent = parent->most_recent;
  // No Python code runs between the family's get() and this, so family and children agree: a child
  // that others removed before it was known here would record in a cell that nothing shows. Another
  // thread may have been faster; then its child stays.
  if (PyDict_SetDefault(parent->children, key, object) == nullptr) return nullptr;
  Py_RETURN_NONE;
}

PyObject* attach_cell(PyObject* object, PyObject* registry) {
  CellObject* const self = cell_object_of(object);
  RegistryCore* const core = core_of(registry);
  if (core == nullptr || self->family == nullptr) {
    if (core != nullptr) refuse_without_cell(self);
    return nullptr;
  }
  if (!guarded([&] { core->attach(self->family, Origin::kGuest); })) return nullptr;
  Py_RETURN_NONE;
}

PyObject* detach_cell(PyObject* object, PyObject* registry) {
  CellObject* const self = cell_object_of(object);
  RegistryCore* const core = core_of(registry);
  if (core == nullptr) return nullptr;
  if (self->family != nullptr && !guarded([&] { core->detach(*self->family); })) return nullptr;
  Py_RETURN_NONE;
}

PyObject* leave_cell_to_python(PyObject* object, PyObject* /*unused*/) {
  if (cell_of(object) == nullptr) return nullptr;
  cell_object_of(object)->family->leave_to_python();
  Py_RETURN_NONE;
}

}  // namespace inferometer::python
