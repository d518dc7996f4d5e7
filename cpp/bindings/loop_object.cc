#include "loop_object.h"

#include <algorithm>
#include <utility>

#include "engine_bindings.h"
#include "engine_object.h"
#include "errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// Names of a future's methods, made once: this runs for every answer.
PyObject* interned(const char* name) {
  PyObject* const text = PyUnicode_InternFromString(name);
  if (text == nullptr) throw py::error_already_set();
  return text;
}

py::object call(const py::handle& object, PyObject* method, const py::handle& argument = {}) {
  PyObject* const result = argument
                               ? PyObject_CallMethodOneArg(object.ptr(), method, argument.ptr())
                               : PyObject_CallMethodNoArgs(object.ptr(), method);
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

void complete(const Request& request, const Ticket& ticket) {
  static PyObject* const done = interned("done");
  static PyObject* const cancel = interned("cancel");
  static PyObject* const set_result = interned("set_result");
  static PyObject* const set_exception = interned("set_exception");
  const py::handle future = static_cast<PyObject*>(ticket.future.get());
  if (call(future, done).is(py::handle(Py_True))) return;  // its task was cancelled
  if (request.outcome() == Outcome::kCancelled) {
    call(future, cancel);
    return;
  }
  py::object error;
  try {
    error = ticket.engine->exception(request);
    if (error.is_none()) {
      call(future, set_result, ticket.engine->result(request, ticket.named));
      return;
    }
  } catch (py::error_already_set& failed) {  // no memory for the answer
    error = failed.value();
  } catch (const std::exception& failed) {
    error = error_class("Error")(failed.what());
  }
  call(future, set_exception, error);
}

}  // namespace

void LoopObject::wake_at_end_of_turn(const std::shared_ptr<EngineObject>& engine,
                                     const py::object& future) {
  if (std::ranges::find(to_wake_, engine) != to_wake_.end()) return;
  if (to_wake_.empty()) {
    const py::object loop = future.attr("get_loop")();
    loop.attr("call_soon")(py::cast(this).attr("wake_engines"));
  }
  to_wake_.push_back(engine);
}

void LoopObject::wake_engines() {
  for (const auto& engine : std::exchange(to_wake_, {})) {
    static const CompletionQueue nobody;  // all answers come through the loop's reader
    std::vector<std::shared_ptr<Request>> ended;
    (void)engine->engine().flush(nobody, ended, kNever);
  }
}

void LoopObject::deliver() {
  for (const auto& request : completions_->take()) {
    auto& ticket = *static_cast<Ticket*>(request->attachment().get());
    try {
      complete(*request, ticket);
    } catch (py::error_already_set& error) {  // the others of this delivery must not suffer
      error.discard_as_unraisable("delivering the answer of an inferometer request");
    }
    ticket.future.reset();
  }
}

void bind_completions(py::module_& m) {
  py::class_<LoopObject>(m, "Completions",
                         "What an asyncio loop shares with the engines that its tasks call.")
      .def(py::init<>())
      .def_property_readonly(
          "fd", [](const LoopObject& self) { return self.completions()->fd(); },
          "Readable while deliver() has something to do.")
      .def_property_readonly(
          "wakeups", [](const LoopObject& self) { return self.completions()->wakeups(); },
          "Times that the loop was woken so far.")
      .def("deliver", &LoopObject::deliver, "Completes the futures of all ended requests.")
      .def("wake_engines", &LoopObject::wake_engines,
           "Wakes the engines that got requests in this turn of the loop.");
}

}  // namespace inferometer::python
