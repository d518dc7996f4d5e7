#include "callable_model.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "arrays.h"
#include "gil.h"
#include "inferometer/errors.h"
#include "text_arguments.h"
#include "type_name.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

py::object borrow(const std::shared_ptr<void>& object) {
  return py::reinterpret_borrow<py::object>(static_cast<PyObject*>(object.get()));
}

py::object checked(PyObject* answer) {
  if (answer != nullptr) return py::reinterpret_steal<py::object>(answer);
  // On a caller's own thread it may be Ctrl-C, which is more than a failure of the model: have it
  // come again as soon as the batch has ended.
  if (handles_signals() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) {
    PyErr_SetInterrupt();
  }
  throw py::error_already_set();
}

py::object call_python(const py::object& function, const py::object& argument) {
  return checked(park_at_interpreter_exit(
      [&] { return PyObject_CallOneArg(function.ptr(), argument.ptr()); }));
}

py::object call_python(const py::object& function, const py::dict& named) {
  const py::tuple none;
  return checked(park_at_interpreter_exit(
      [&] { return PyObject_Call(function.ptr(), none.ptr(), named.ptr()); }));
}

// What the function gets to see of an input.
py::array shown(const TensorView& view, const std::shared_ptr<const void>& owner) {
  if (owner) return array_over(view, owner);
  py::array copy = array_of(view);
  py::detail::array_proxy(copy.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return copy;
}

// A Python exception as if it had been raised here.
std::exception_ptr as_raised(const py::object& exception) {
  PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
  return std::make_exception_ptr(py::error_already_set());
}

std::string output_name(const py::handle& key) {
  if (const auto text = utf8_of(key.ptr())) return std::string(*text);
  throw ModelError("the model returned an output called " +
                   py::str(py::module_::import("builtins").attr("ascii")(key)).cast<std::string>() +
                   ", want a str without lone surrogates");
}

}  // namespace

CallableModel::CallableModel(const py::object& function, std::vector<TensorSpec> specs,
                             std::shared_ptr<LearnedNames> names)
    : function_(share_object(function.ptr())), specs_(std::move(specs)), names_(std::move(names)) {}

py::object CallableModel::call(Batch& batch) const {
  const auto inputs = batch.inputs();
  const auto specs = batch.input_specs();
  const std::shared_ptr<const void> owner = batch.input_owner();
  const py::object function = borrow(function_);
  const bool positional = inputs.size() == 1 && (!specs_.empty() || specs[0].name.empty());
  if (positional) return call_python(function, shown(inputs[0], owner));
  py::dict named;
  for (size_t i = 0; i < inputs.size(); ++i) {
    named[py::str(specs[i].name)] = shown(inputs[i], owner);
  }
  return call_python(function, named);
}

void CallableModel::run(Batch& batch) {
  const OnPythonThread gil;
  const py::object answer = call(batch);
  batch.computed();
  if (py::isinstance<py::array>(answer)) {
    const OutputNames* const known = names_->known();
    if (known == nullptr || !known->bare) names_->learn({{"output"}, true});
    take_output(batch, 0, "output", answer);
    return;
  }
  if (!PyDict_Check(answer.ptr())) {
    throw ModelError("the model returned " + type_name(answer) +
                     ", want a numpy array or a dict of them");
  }
  OutputNames found;
  const auto items = py::reinterpret_borrow<py::dict>(answer);
  for (const auto& [key, value] : items) found.names.push_back(output_name(key));
  const OutputNames& known = names_->learn(std::move(found));
  for (size_t i = 0; i < known.names.size(); ++i) {
    take_output(batch, i, known.names[i], items[py::str(known.names[i])]);
  }
}

void CallableModel::take_output(Batch& batch, size_t index, const std::string& name,
                                const py::handle& value) const {
  if (!py::isinstance<py::array>(value)) {
    throw ModelError("the model returned " + type_name(value) + " for output " + name +
                     ", want a numpy array");
  }
  auto array = py::reinterpret_borrow<py::array>(value);
  // numpy takes its time to find out that there is nothing to do.
  if ((array.flags() & py::array::c_style) == 0) {
    array = py::array::ensure(array, py::array::c_style);
  }
  if (!array) throw std::bad_alloc();  // numpy had no room for a contiguous copy
  TensorView view;
  try {
    view = view_of(array, name);
  } catch (const Error& error) {
    throw ModelError(std::string("the model broke its contract: output ") + error.what());
  }
  const MutableTensorView into = batch.allocate_output(index, view.dtype, view.shape);
  if (view.bytes() > 0) std::memcpy(into.data, view.data, view.bytes());
}

ItemsModel::ItemsModel(const py::object& function) : function_(share_object(function.ptr())) {}

void ItemsModel::run(Batch& batch) {
  const OnPythonThread gil;
  const size_t count = batch.requests();
  py::list items(count);
  for (size_t i = 0; i < count; ++i) items[i] = borrow(batch.object(i));
  const py::object answer = call_python(borrow(function_), items);
  batch.computed();
  if (PyUnicode_Check(answer.ptr()) || PyBytes_Check(answer.ptr()) || PyDict_Check(answer.ptr()) ||
      !PySequence_Check(answer.ptr())) {
    throw ModelError("the function returned " + type_name(answer) + ", want a list of " +
                     std::to_string(count) + " answers, one for each item");
  }
  const size_t got = py::len(answer);
  if (got != count) {
    throw ModelError("the function returned " + std::to_string(got) + " answers, want " +
                     std::to_string(count) + ", one for each item");
  }
  for (size_t i = 0; i < count; ++i) {
    const py::object item = answer[py::int_(i)];
    if (PyExceptionInstance_Check(item.ptr())) {
      batch.fail(i, as_raised(item));
      continue;
    }
    batch.set_result_object(i, share_object(item.ptr()));
  }
}

}  // namespace inferometer::python
