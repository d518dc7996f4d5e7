#include "cell_methods.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "cell_arguments.h"
#include "cell_exemplars.h"
#include "cell_object.h"
#include "fast_method.h"

namespace inferometer::python {
namespace {

PyObject* counter_cell_inc(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords) {
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr) return nullptr;
  if (count == 0 && keywords == nullptr) {
    cell->add(1);
    Py_RETURN_NONE;
  }
  std::array<PyObject*, 2> values;
  if (!take_arguments<2>("inc", {"amount", "exemplar"}, arguments, count, keywords, values)) {
    return nullptr;
  }
  double amount = 1;
  if (values[0] != nullptr && !take_number(values[0], amount)) return nullptr;
  if (amount < 0) {
    PyErr_SetString(PyExc_ValueError, "Counters can only be incremented by non-negative amounts.");
    return nullptr;
  }
  cell->add(amount);
  if (!record_exemplar(object, 0, values[1], amount)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* gauge_add(const char* method, double sign, PyObject* object, PyObject* const* arguments,
                    Py_ssize_t count, PyObject* keywords) {
  if (reinterpret_cast<CellObject*>(object)->most_recent) {
    PyErr_Format(PyExc_RuntimeError, "%s must not be used with the mostrecent mode", method);
    return nullptr;
  }
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr) return nullptr;
  double amount = 1;
  if (count != 0 || keywords != nullptr) {
    std::array<PyObject*, 1> values;
    if (!take_arguments<1>(method, {"amount"}, arguments, count, keywords, values) ||
        (values[0] != nullptr && !take_number(values[0], amount))) {
      return nullptr;
    }
  }
  cell->add(sign * amount);
  Py_RETURN_NONE;
}

PyObject* gauge_cell_inc(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                         PyObject* keywords) {
  return gauge_add("inc", 1, object, arguments, count, keywords);
}

PyObject* gauge_cell_dec(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                         PyObject* keywords) {
  return gauge_add("dec", -1, object, arguments, count, keywords);
}

// The one argument that must be there; null with TypeError set if it is not.
PyObject* take_one(const char* method, const char* name, PyObject* const* arguments,
                   Py_ssize_t count, PyObject* keywords) {
  if (count == 1 && keywords == nullptr) return arguments[0];
  std::array<PyObject*, 1> values;
  if (!take_arguments<1>(method, {name}, arguments, count, keywords, values)) return nullptr;
  if (values[0] == nullptr) {
    PyErr_Format(PyExc_TypeError, "%s() got no argument, want '%s'", method, name);
  }
  return values[0];
}

PyObject* gauge_cell_set(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                         PyObject* keywords) {
  PyObject* const argument = take_one("set", "value", arguments, count, keywords);
  if (argument == nullptr) return nullptr;
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr) return nullptr;
  if (PyFloat_CheckExact(argument)) {
    cell->set(PyFloat_AS_DOUBLE(argument));
    Py_RETURN_NONE;
  }
  // As float() does it: "1.5" is a number here.
  PyObject* const number = PyNumber_Float(argument);
  if (number == nullptr) return nullptr;
  cell->set(PyFloat_AS_DOUBLE(number));
  Py_DECREF(number);
  Py_RETURN_NONE;
}

PyObject* gauge_only_set(PyObject* object, PyObject* value) {
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) return nullptr;
  reinterpret_cast<CellObject*>(object)->most_recent = truth == 1;
  Py_RETURN_NONE;
}

// The cell of a summary; null with an exception set if it is of a type that counts nothing, which a
// subclass may have chosen.
ValueCell* counting_cell_of(PyObject* object) {
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr || cell->spec().type == CellType::kSummary) [[likely]]
    return cell;
  PyErr_Format(PyExc_TypeError, "got %s, want a summary", Py_TYPE(object)->tp_name);
  return nullptr;
}

PyObject* summary_observe(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                          PyObject* keywords) {
  PyObject* const argument = take_one("observe", "amount", arguments, count, keywords);
  if (argument == nullptr) return nullptr;
  ValueCell* const cell = counting_cell_of(object);
  double amount = 0;
  if (cell == nullptr || !take_number(argument, amount)) return nullptr;
  cell->observe(amount);
  Py_RETURN_NONE;
}

// The cell of a histogram; null with an exception set if it has no buckets.
ValueCell* bucketed_cell_of(PyObject* object) {
  ValueCell* const cell = cell_of(object);
  if (cell == nullptr || cell->spec().bounds != nullptr) [[likely]]
    return cell;
  PyErr_Format(PyExc_TypeError, "got %s, want a histogram", Py_TYPE(object)->tp_name);
  return nullptr;
}

PyObject* histogram_cell_observe(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                                 PyObject* keywords) {
  ValueCell* const cell = bucketed_cell_of(object);
  if (cell == nullptr) return nullptr;
  std::array<PyObject*, 2> values{};
  if (count == 1 && keywords == nullptr) {
    values[0] = arguments[0];
  } else if (!take_arguments<2>("observe", {"amount", "exemplar"}, arguments, count, keywords,
                                values)) {
    return nullptr;
  }
  double amount = 0;
  if (values[0] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "observe() got no argument, want 'amount'");
    return nullptr;
  }
  if (!take_number(values[0], amount)) return nullptr;
  if (std::isnan(amount)) {
    cell->add(amount);  // as in prometheus_client: it makes the sum NaN and is counted nowhere
    Py_RETURN_NONE;
  }
  const size_t bucket = cell->bucket_of(amount);
  cell->observe_in(bucket, amount);
  if (!record_exemplar(object, bucket, values[1], amount)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* read_value(PyObject* object, PyObject* /*unused*/) {
  const ValueCell* const cell = cell_of(object);
  return cell == nullptr ? nullptr : PyFloat_FromDouble(cell->value());
}

PyObject* write_value(PyObject* object, PyObject* value) {
  ValueCell* const cell = cell_of(object);
  double number = 0;
  if (cell == nullptr || !take_number(value, number)) return nullptr;
  cell->set(number);
  Py_RETURN_NONE;
}

PyObject* read_summary(PyObject* object, PyObject* /*unused*/) {
  const ValueCell* const cell = counting_cell_of(object);
  if (cell == nullptr) return nullptr;
  return Py_BuildValue("(dd)", static_cast<double>(cell->count()), cell->value());
}

PyObject* read_buckets(PyObject* object, PyObject* /*unused*/) {
  const ValueCell* const cell = bucketed_cell_of(object);
  if (cell == nullptr) return nullptr;
  const auto size = static_cast<Py_ssize_t>(cell->spec().bounds->upper.size());
  PyObject* const counts = PyTuple_New(size);
  for (Py_ssize_t i = 0; counts != nullptr && i < size; ++i) {
    PyObject* const number =
        PyFloat_FromDouble(static_cast<double>(cell->bucket(static_cast<size_t>(i))));
    if (number == nullptr) {
      Py_DECREF(counts);
      return nullptr;
    }
    PyTuple_SET_ITEM(counts, i, number);
  }
  return counts;
}

PyObject* read_bounds(PyObject* object, PyObject* /*unused*/) {
  const auto* const self = reinterpret_cast<CellObject*>(object);
  if (self->family == nullptr || self->family->spec().bounds == nullptr) {
    refuse_without_cell(self);
    return nullptr;
  }
  const auto& upper = self->family->spec().bounds->upper;
  PyObject* const bounds = PyTuple_New(static_cast<Py_ssize_t>(upper.size()));
  for (size_t i = 0; bounds != nullptr && i < upper.size(); ++i) {
    PyObject* const number = PyFloat_FromDouble(upper[i]);
    if (number == nullptr) {
      Py_DECREF(bounds);
      return nullptr;
    }
    PyTuple_SET_ITEM(bounds, static_cast<Py_ssize_t>(i), number);
  }
  return bounds;
}

PyObject* write_info(PyObject* object, PyObject* pairs) {
  ValueCell* const cell = cell_of(object);
  LabelPairs labels;
  if (cell == nullptr || !take_pairs(pairs, labels)) return nullptr;
  if (!guarded([&] { cell->set_info(std::move(labels)); })) return nullptr;
  Py_RETURN_NONE;
}

PyObject* read_info(PyObject* object, PyObject* /*unused*/) {
  const ValueCell* const cell = cell_of(object);
  LabelPairs labels;
  if (cell == nullptr || !guarded([&] { labels = cell->info(); })) return nullptr;
  return dict_of(labels);
}

#define INFEROMETER_READ {"_read", read_value, METH_NOARGS, "_read($self, /)\n--\n\nThe value."}
#define INFEROMETER_WRITE {"_write", write_value, METH_O, "Sets the value."}
PyMethodDef counter_methods[] = {
    {"inc", method(counter_cell_inc), kFast,
     "inc($self, /, amount=1, exemplar=None)\n--\n\nIncrements by `amount`, 0 or more."},
    INFEROMETER_READ,
    INFEROMETER_WRITE,
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef gauge_methods[] = {
    {"inc", method(gauge_cell_inc), kFast,
     "inc($self, /, amount=1)\n--\n\nIncrements by `amount`."},
    {"dec", method(gauge_cell_dec), kFast,
     "dec($self, /, amount=1)\n--\n\nDecrements by `amount`."},
    {"set", method(gauge_cell_set), kFast, "set($self, /, value)\n--\n\nSets the value."},
    {"_only_set", gauge_only_set, METH_O, "Whether inc() and dec() are refused."},
    INFEROMETER_READ,
    INFEROMETER_WRITE,
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef summary_methods[] = {{"observe", method(summary_observe), kFast,
                                  "observe($self, /, amount)\n--\n\nCounts an observation."},
                                 {"_read_summary", read_summary, METH_NOARGS,
                                  "_read_summary($self, /)\n--\n\nThe count and the sum."},
                                 {nullptr, nullptr, 0, nullptr}};

PyMethodDef histogram_methods[] = {
    {"observe", method(histogram_cell_observe), kFast,
     "observe($self, /, amount, exemplar=None)\n--\n\nCounts an observation."},
    {"_read_buckets", read_buckets, METH_NOARGS,
     "_read_buckets($self, /)\n--\n\nThe counts of the buckets, not cumulative."},
    {"_read_bounds", read_bounds, METH_NOARGS, "_read_bounds($self, /)\n--\n\nThe upper bounds."},
    INFEROMETER_READ,
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef info_methods[] = {
    {"_write_info", write_info, METH_O, "Sets the labels, given as pairs of name and value."},
    {"_read_info", read_info, METH_NOARGS, "_read_info($self, /)\n--\n\nThe labels."},
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef enum_methods[] = {INFEROMETER_READ, INFEROMETER_WRITE, {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_recording_types(PyObject* module, PyTypeObject* base) {
  struct Type {
    const char* name;
    const char* doc;
    PyMethodDef* methods;
  };
  const Type types[] = {
      {"inferometer._core.CounterCell", "A value that only grows.", counter_methods},
      {"inferometer._core.GaugeCell", "A value that goes up and down.", gauge_methods},
      {"inferometer._core.SummaryCell", "Observations, counted and summed.", summary_methods},
      {"inferometer._core.HistogramCell", "Observations, counted in buckets.", histogram_methods},
      {"inferometer._core.InfoCell", "Labels that are the value.", info_methods},
      {"inferometer._core.EnumCell", "Which of several states is so.", enum_methods}};
  for (const Type& type : types) {
    PyTypeObject* const made = make_cell_type(module, base, type.name, type.doc, type.methods);
    if (made == nullptr) return false;
    Py_DECREF(made);  // the module keeps it
  }
  return true;
}

}  // namespace inferometer::python
