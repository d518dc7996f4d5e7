// Requests of asyncio callers.
#include <memory>
#include <new>
#include <utility>

#include "call_arguments.h"
#include "engine_many.h"
#include "engine_methods.h"
#include "engine_object.h"
#include "errors.h"
#include "inferometer/errors.h"
#include "loop_object.h"
#include "pending_object.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Submits by `submit(options)`. A refusal is an outcome like any other: it is raised by the await.
template <typename Submit>
py::object pending_for(LoopObject& loop, PyObject* engine, AnswerForm form, SubmitOptions& options,
                       Submit&& submit) {
  py::object object = make_pending(loop.loop(), engine, form);
  PendingObject* const pending = pending_of(object.ptr());
  options.completions = loop.completions();
  options.attachment = std::shared_ptr<void>(std::shared_ptr<void>(), pending);  // borrowed
  options.flush_later = true;  // at the end of the loop's turn
  try {
    pending->request = submit(std::as_const(options));
  } catch (const Error&) {
    refuse(pending, std::current_exception());
    return object;
  } catch (const std::bad_alloc&) {
    refuse(pending, std::current_exception());
    return object;
  }
  loop.submitted(pending, engine);
  return object;
}

// Where no loop runs: a coroutine that makes the call when a loop runs it.
PyObject* when_awaited(PyObject* self, const char* method, PyObject* const* arguments,
                       Py_ssize_t count, PyObject* keywords) {
  const auto make = py::module_::import("inferometer.awaited").attr("when_awaited");
  const auto call = py::handle(self).attr(method);
  py::list given;
  for (Py_ssize_t i = 0; i < count; ++i) given.append(py::handle(arguments[i]));
  py::dict named;
  const Py_ssize_t names = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < names; ++i) {
    named[py::handle(PyTuple_GET_ITEM(keywords, i))] = py::handle(arguments[count + i]);
  }
  return make(call, py::tuple(given), named).release().ptr();
}

PyObject* infer_rows_async(const char* method, CallInputs::Rows rows, PyObject* self,
                           PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
  return translated([&] {
    LoopObject* const loop = LoopObject::of_running_loop();
    if (loop == nullptr) return when_awaited(self, method, arguments, count, keywords);
    CallArguments call(self, method, rows == CallInputs::Rows::kOne ? "sample" : "inputs",
                       arguments, count, keywords);
    return infer_pending(*loop, self, call.inputs, rows, call.options).release().ptr();
  });
}

}  // namespace

py::object infer_pending(LoopObject& loop, PyObject* engine, PyObject* given, CallInputs::Rows rows,
                         SubmitOptions& options) {
  const AnswerForm form{PyDict_Check(given) != 0, rows == CallInputs::Rows::kOne};
  return pending_for(loop, engine, form, options, [&](const SubmitOptions& filled) {
    EngineObject& target = engine_of(engine);
    return target.submit(target.parse(given, rows), filled);
  });
}

PyObject* infer_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* keywords) {
  return infer_rows_async("infer_async", CallInputs::Rows::kGiven, self, arguments, count,
                          keywords);
}

PyObject* infer_one_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                          PyObject* keywords) {
  return infer_rows_async("infer_one_async", CallInputs::Rows::kOne, self, arguments, count,
                          keywords);
}

PyObject* infer_item_async(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                           PyObject* keywords) {
  return translated([&] {
    LoopObject* const loop = LoopObject::of_running_loop();
    if (loop == nullptr) return when_awaited(self, "infer_item_async", arguments, count, keywords);
    CallArguments call(self, "infer_item_async", "item", arguments, count, keywords);
    return pending_for(*loop, self, {}, call.options,
                       [&](const SubmitOptions& filled) {
                         return engine_of(self).submit_item(call.inputs, filled);
                       })
        .release()
        .ptr();
  });
}

}  // namespace inferometer::python
