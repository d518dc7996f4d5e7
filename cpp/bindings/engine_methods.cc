#include "engine_methods.h"

#include <array>
#include <utility>

#include "call_arguments.h"
#include "engine_docs.h"
#include "engine_object.h"
#include "errors.h"
#include "fast_method.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

PyObject* infer_rows(const char* method, CallInputs::Rows rows, PyObject* self,
                     PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  return translated([&] {
    const bool one = rows == CallInputs::Rows::kOne;
    CallArguments call(self, method, one ? "sample" : "inputs", arguments, count, keywords);
    EngineObject& engine = engine_of(self);
    const CallInputs inputs = engine.parse(call.inputs, rows);
    return engine.infer(inputs, call.options, {inputs.named(), one}).release().ptr();
  });
}

PyObject* infer(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  return infer_rows("infer", CallInputs::Rows::kGiven, self, arguments, count, keywords);
}

PyObject* infer_one(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                    PyObject* keywords) {
  return infer_rows("infer_one", CallInputs::Rows::kOne, self, arguments, count, keywords);
}

PyObject* infer_item(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                     PyObject* keywords) {
  return translated([&] {
    const CallArguments call(self, "infer_item", "item", arguments, count, keywords);
    return engine_of(self).infer_item(call.inputs, call.options).release().ptr();
  });
}

PyObject* handle_of(EngineObject& engine, std::shared_ptr<Request> request, AnswerForm form) {
  return py::cast(RequestObject{engine.shared_from_this(), std::move(request), form})
      .release()
      .ptr();
}

PyObject* submit(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  return translated([&] {
    const CallArguments call(self, "submit", "inputs", arguments, count, keywords);
    EngineObject& engine = engine_of(self);
    const CallInputs inputs = engine.parse(call.inputs, CallInputs::Rows::kGiven);
    return handle_of(engine, engine.submit(inputs, call.options), {inputs.named(), false});
  });
}

PyObject* submit_item(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* keywords) {
  return translated([&] {
    const CallArguments call(self, "submit_item", "item", arguments, count, keywords);
    EngineObject& engine = engine_of(self);
    return handle_of(engine, engine.submit_item(call.inputs, call.options), {});
  });
}

// The type refers to it for as long as it lives.
std::array<PyMethodDef, 10> engine_method_table{
    {{"infer", method(infer), kFast, kInferDoc},
     {"infer_one", method(infer_one), kFast, kInferOneDoc},
     {"infer_many", method(infer_many), kFast, kInferManyDoc},
     {"submit", method(submit), kFast, kSubmitDoc},
     {"infer_async", method(infer_async), kFast, kInferAsyncDoc},
     {"infer_one_async", method(infer_one_async), kFast, kInferOneAsyncDoc},
     {"_infer_each_async", method(infer_each_async), kFast,
      "_infer_each_async($self, /, xs, timeout=None, priority=0, trace_id=None)\n--\n\n"
      "A list with what infer_async() gives for each."},
     {"infer_item", method(infer_item), kFast,
      "infer_item($self, /, item, timeout=None, priority=0, trace_id=None)\n--\n\n"
      "As infer() for an object."},
     {"submit_item", method(submit_item), kFast,
      "submit_item($self, /, item, timeout=None, priority=0, trace_id=None)\n--\n\n"
      "As submit() for an object."},
     {"infer_item_async", method(infer_item_async), kFast,
      "infer_item_async($self, /, item, timeout=None, priority=0, trace_id=None)\n--\n\n"
      "As infer_async() for an object."}}};

}  // namespace

void add_request_methods(const py::handle& engine_type) {
  for (PyMethodDef& one : engine_method_table) {
    PyObject* const descriptor =
        PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(engine_type.ptr()), &one);
    if (descriptor == nullptr) throw py::error_already_set();
    py::setattr(engine_type, one.ml_name, py::reinterpret_steal<py::object>(descriptor));
  }
}

}  // namespace inferometer::python
