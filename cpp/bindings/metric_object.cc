#include "metric_object.h"

#include <array>
#include <string>
#include <vector>

#include "cell_arguments.h"
#include "fast_method.h"
#include "metric_labels.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

template <typename Metric>
void deallocate_metric(PyObject* object) {
  PyTypeObject* const type = Py_TYPE(object);
  metric_of<Metric>(object).~Metric();
  PyObject_Free(object);
  Py_DECREF(type);
}

template <typename Metric>
PyObject* labels(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                 PyObject* keywords) {
  return translated([&] {
    const auto& metric = metric_of<Metric>(object);
    const MetricLabels values(metric, arguments, count, keywords);
    return wrap<Metric>(metric.labels(values.view()));
  });
}

template <typename Metric>
PyObject* remove(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
  return translated([&] {
    const auto& metric = metric_of<Metric>(object);
    metric.remove(MetricLabels(metric, arguments, count, nullptr).view());
    return Py_NewRef(Py_None);
  });
}

template <typename Metric>
PyObject* clear(PyObject* object, PyObject* /*unused*/) {
  return translated([&] {
    metric_of<Metric>(object).clear();
    return Py_NewRef(Py_None);
  });
}

template <typename Metric>
PyObject* name(PyObject* object, void* /*closure*/) {
  return translated([&] { return py::str(metric_of<Metric>(object).name()).release().ptr(); });
}

template <typename Metric>
PyObject* label_names(PyObject* object, void* /*closure*/) {
  return translated([&] {
    const std::vector<std::string>& names = metric_of<Metric>(object).label_names();
    py::tuple result(names.size());
    for (size_t i = 0; i < names.size(); ++i) result[i] = py::str(names[i]);
    return result.release().ptr();
  });
}

template <typename Metric>
PyObject* value(PyObject* object, void* /*closure*/) {
  return translated([&] { return PyFloat_FromDouble(metric_of<Metric>(object).value()); });
}

// The number that a method takes and, for some, an exemplar.
struct Arguments {
  double number = 1;
  PyObject* exemplar = nullptr;  // null: none
};

// False with TypeError set if these are not the arguments of `method`. A number that is `needed`
// has no default.
template <size_t N>
bool take(const char* method, const std::array<const char*, N>& names, bool needed,
          PyObject* const* arguments, Py_ssize_t count, PyObject* keywords, Arguments& taken) {
  if (count == 1 && keywords == nullptr) return take_number(arguments[0], taken.number);
  std::array<PyObject*, N> values;
  if (!take_arguments<N>(method, names, arguments, count, keywords, values)) return false;
  if constexpr (N > 1) {
    if (values[1] != Py_None) taken.exemplar = values[1];
  }
  if (values[0] != nullptr) return take_number(values[0], taken.number);
  if (needed) PyErr_Format(PyExc_TypeError, "%s() got no argument, want '%s'", method, names[0]);
  return !needed;
}

// Calls `record` with an exemplar of these labels.
template <typename Record>
void with_exemplar(PyObject* labels, Record&& record) {
  if (PyDict_Check(labels) == 0) {
    throw py::type_error(std::string("exemplar: got ") + Py_TYPE(labels)->tp_name +
                         ", want a dict of labels");
  }
  std::vector<py::str> texts;  // keep what the exemplar refers to alive
  Exemplar exemplar;
  for (const auto& [name, value] : py::reinterpret_borrow<py::dict>(labels)) {
    for (const py::handle part : {name, value}) {
      if (PyUnicode_Check(part.ptr()) == 0) {
        throw py::type_error(std::string("exemplar: got ") + Py_TYPE(part.ptr())->tp_name +
                             " in its labels, want str");
      }
      texts.push_back(py::reinterpret_borrow<py::str>(part));
    }
    const std::string_view label = utf8(texts.end()[-2], "exemplar");
    exemplar.labels.emplace_back(label, utf8(texts.back(), "exemplar"));
  }
  record(exemplar);
}

PyObject* counter_inc(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* keywords) {
  Arguments taken;
  if ((count > 0 || keywords != nullptr) &&
      !take<2>("inc", {"amount", "exemplar"}, false, arguments, count, keywords, taken)) {
    return nullptr;
  }
  return translated([&] {
    const auto& counter = metric_of<Counter>(object);
    if (taken.exemplar == nullptr) {
      counter.inc(taken.number);
    } else {
      with_exemplar(taken.exemplar, [&](const Exemplar& one) { counter.inc(taken.number, one); });
    }
    return Py_NewRef(Py_None);
  });
}

template <void (Gauge::*Record)(double) const>
PyObject* gauge_record(const char* method, const char* argument, bool needed, PyObject* object,
                       PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  Arguments taken;
  if ((count > 0 || keywords != nullptr || needed) &&
      !take<1>(method, {argument}, needed, arguments, count, keywords, taken)) {
    return nullptr;
  }
  return translated([&] {
    (metric_of<Gauge>(object).*Record)(taken.number);
    return Py_NewRef(Py_None);
  });
}

PyObject* gauge_inc(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords) {
  return gauge_record<&Gauge::inc>("inc", "amount", false, object, arguments, count, keywords);
}

PyObject* gauge_dec(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords) {
  return gauge_record<&Gauge::dec>("dec", "amount", false, object, arguments, count, keywords);
}

PyObject* gauge_set(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords) {
  return gauge_record<&Gauge::set>("set", "value", true, object, arguments, count, keywords);
}

PyObject* histogram_observe(PyObject* object, PyObject* const* arguments, Py_ssize_t count,
                            PyObject* keywords) {
  Arguments taken;
  if (!take<2>("observe", {"value", "exemplar"}, true, arguments, count, keywords, taken)) {
    return nullptr;
  }
  return translated([&] {
    const auto& histogram = metric_of<Histogram>(object);
    if (taken.exemplar == nullptr) {
      histogram.observe(taken.number);
    } else {
      with_exemplar(taken.exemplar,
                    [&](const Exemplar& one) { histogram.observe(taken.number, one); });
    }
    return Py_NewRef(Py_None);
  });
}

// What the three types have in common, and what each has of its own.
template <typename Metric>
std::vector<PyMethodDef> methods_of(std::initializer_list<PyMethodDef> own) {
  std::vector<PyMethodDef> methods = own;
  methods.push_back({"labels", method(labels<Metric>), kFast,
                     "labels($self, /, *args, **kwargs)\n--\n\n"
                     "The series of these label values, by position or by name; str() is applied "
                     "to them."});
  methods.push_back({"remove", method(remove<Metric>), METH_FASTCALL,
                     "remove($self, /, *args)\n--\n\n"
                     "Removes the series of these label values, if there is one."});
  methods.push_back({"clear", clear<Metric>, METH_NOARGS,
                     "clear($self, /)\n--\n\nRemoves all series of a metric with labels."});
  methods.push_back({nullptr, nullptr, 0, nullptr});
  return methods;
}

// The tables live as long as the process, as the type refers to them.
template <typename Metric>
void add_type(py::module_& m, const char* qualified, const char* doc,
              std::initializer_list<PyMethodDef> own,
              std::initializer_list<PyGetSetDef> properties) {
  static std::vector<PyMethodDef> methods = methods_of<Metric>(own);
  static std::vector<PyGetSetDef> getters = properties;
  getters.push_back({"name", name<Metric>, nullptr, "The name as exposed.", nullptr});
  getters.push_back(
      {"labelnames", label_names<Metric>, nullptr, "The names of the labels.", nullptr});
  getters.push_back({nullptr, nullptr, nullptr, nullptr, nullptr});
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(deallocate_metric<Metric>)},
                         {Py_tp_methods, methods.data()},
                         {Py_tp_getset, getters.data()},
                         {Py_tp_doc, const_cast<char*>(doc)},
                         {0, nullptr}};
  PyType_Spec spec = {qualified, static_cast<int>(sizeof(MetricObject<Metric>)), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  metric_type_object<Metric> = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
  m.attr(type.attr("__name__")) = type;
}

}  // namespace

void bind_metrics(py::module_& m) {
  add_type<Counter>(
      m, "inferometer._core.Counter", "A value that only grows. Made by Registry.counter().",
      {{"inc", method(counter_inc), kFast,
        "inc($self, /, amount=1.0, exemplar=None)\n--\n\n"
        "Adds `amount`, 0 or more. `exemplar`: labels that tell where it came from (a trace id)."}},
      {{"value", value<Counter>, nullptr, "The present value.", nullptr}});
  add_type<Gauge>(
      m, "inferometer._core.Gauge", "A value that goes up and down. Made by Registry.gauge().",
      {{"inc", method(gauge_inc), kFast, "inc($self, /, amount=1.0)\n--\n\nAdds `amount`."},
       {"dec", method(gauge_dec), kFast, "dec($self, /, amount=1.0)\n--\n\nSubtracts `amount`."},
       {"set", method(gauge_set), kFast, "set($self, /, value)\n--\n\nSets the value."}},
      {{"value", value<Gauge>, nullptr, "The present value.", nullptr}});
  add_type<Histogram>(
      m, "inferometer._core.Histogram",
      "Observations counted in buckets. Made by Registry.histogram().",
      {{"observe", method(histogram_observe), kFast,
        "observe($self, /, value, exemplar=None)\n--\n\n"
        "Counts one observation. `exemplar`: labels that tell where it came from (a trace id); it "
        "becomes its bucket's newest."}},
      {});
}

}  // namespace inferometer::python
