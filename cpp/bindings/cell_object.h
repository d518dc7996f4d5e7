// What a metric of inferometer.prometheus is underneath: a raw C type, so that `counter.inc()` is
// one C call.
#pragma once

#include <Python.h>

#include <memory>

#include "telemetry/cells/cell_family.h"

namespace inferometer::python {

/// The base of the Python classes. A metric with labels has `children` and no cell; one without
/// labels, and every child, has a cell. The pointers are set once, by _open() or _open_child();
/// reading them needs the GIL, recording in the cell does not.
struct CellObject {
  PyObject_HEAD PyObject* label_names;  ///< A tuple of str; null before _open().
  PyObject* label_values;               ///< A tuple of str; null unless a child.
  PyObject* parent;                     ///< Whose child this is. May be null.
  PyObject* children;                   ///< A dict: tuple of label values to child. May be null.
  ValueCell* cell;                      ///< What `owned` owns, one step nearer.
  std::shared_ptr<ValueCell> owned;
  std::shared_ptr<CellFamily> family;
  bool most_recent;  ///< A gauge that can only be set.
};

/// Makes `_core.MetricCell`, the common base. Null with an exception set on failure.
[[nodiscard]] PyTypeObject* make_metric_cell_type(PyObject* module);
/// Makes one of the types that record, derived from `base`, which they are in every slot but their
/// methods. Null with an exception set on failure.
[[nodiscard]] PyTypeObject* make_cell_type(PyObject* module, PyTypeObject* base, const char* name,
                                           const char* doc, PyMethodDef* methods);

/// "counter", "gauge" and so on.
[[nodiscard]] const char* cell_type_name(CellType type) noexcept;

/// Sets ValueError for a metric whose labels are missing, TypeError for one never initialised.
void refuse_without_cell(const CellObject* self);

[[nodiscard]] inline CellObject* cell_object_of(PyObject* object) noexcept {
  return reinterpret_cast<CellObject*>(object);
}

/// The cell to record in; null with an exception set if there is none.
[[nodiscard]] inline ValueCell* cell_of(PyObject* object) {
  CellObject* const self = cell_object_of(object);
  if (self->cell == nullptr) [[unlikely]]
    refuse_without_cell(self);
  return self->cell;
}

}  // namespace inferometer::python
