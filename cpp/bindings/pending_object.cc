#include "pending_object.h"

#include <structmember.h>

#include <new>
#include <string>
#include <utility>

#include "asyncio_calls.h"
#include "engine_object.h"
#include "errors.h"
#include "pending_attributes.h"
#include "pending_methods.h"
#include "pending_waking.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using State = PendingObject::State;

PyTypeObject* pending_type = nullptr;  // lives as long as the process

int traverse_pending(PyObject* object, visitproc visit, void* arg) {
  PendingObject* const self = pending_of(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->loop);
  Py_VISIT(self->engine);
  Py_VISIT(self->callback);
  Py_VISIT(self->context);
  Py_VISIT(self->others);
  Py_VISIT(self->outcome);
  Py_VISIT(self->cancel_message);
  return 0;
}

int clear_pending(PyObject* object) {
  PendingObject* const self = pending_of(object);
  Py_CLEAR(self->engine);
  Py_CLEAR(self->callback);
  Py_CLEAR(self->context);
  Py_CLEAR(self->others);
  Py_CLEAR(self->outcome);
  Py_CLEAR(self->cancel_message);
  Py_CLEAR(self->loop);
  return 0;
}

// As asyncio does for its futures: an error that nobody looked at is shown.
void finalize_pending(PyObject* object) {
  PendingObject* const self = pending_of(object);
  if (!self->unretrieved || self->outcome == nullptr || self->loop == nullptr) return;
  self->unretrieved = false;
  const py::error_scope present;
  try {
    asyncio::call_exception_handler(self->loop, "Pending exception was never retrieved",
                                    py::reinterpret_borrow<py::object>(self->outcome), object);
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("the exception handler of an event loop");
  }
}

void deallocate_pending(PyObject* object) {
  PendingObject* const self = pending_of(object);
  // The exception handler may keep it.
  if (self->unretrieved && PyObject_CallFinalizerFromDealloc(object) != 0) return;
  PyObject_GC_UnTrack(object);
  PyTypeObject* const type = Py_TYPE(object);
  if (self->weak_references != nullptr) PyObject_ClearWeakRefs(object);
  clear_pending(object);
  self->request.~shared_ptr();
  PyObject_GC_Del(object);
  Py_DECREF(type);
}

void set_outcome(PendingObject* pending, State state, py::object outcome) {
  pending->outcome = outcome.release().ptr();
  pending->unretrieved = state == State::kFailed;
  pending->state = state;  // last: done() is true once all is there
}

void fail(PendingObject* pending, const std::exception_ptr& error) {
  set_python_error(error);
  set_outcome(pending, State::kFailed, py::error_already_set().value());
}

void set_outcome_of_request(PendingObject* pending) {
  const Request& request = *pending->request;
  if (request.outcome() == Outcome::kCancelled) {
    pending->state = State::kCancelled;
    return;
  }
  try {
    EngineObject& engine = engine_of(pending->engine);
    if (request.outcome() == Outcome::kSuccess) {
      set_outcome(pending, State::kAnswered, engine.result(request, pending->form));
    } else {
      set_outcome(pending, State::kFailed, engine.exception(request));
    }
  } catch (const std::exception&) {  // no memory for the answer
    fail(pending, std::current_exception());
  }
}

PyMemberDef pending_members[] = {
    {"__weaklistoffset__", T_PYSSIZET,
     static_cast<Py_ssize_t>(offsetof(PendingObject, weak_references)), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

}  // namespace

py::object make_pending(PyObject* loop, PyObject* engine, AnswerForm form) {
  auto* const self = PyObject_GC_New(PendingObject, pending_type);
  if (self == nullptr) throw std::bad_alloc();
  self->weak_references = nullptr;
  self->loop = Py_NewRef(loop);
  self->engine = Py_NewRef(engine);
  self->callback = self->context = self->others = self->outcome = nullptr;
  self->cancel_message = nullptr;
  new (&self->request) std::shared_ptr<Request>();
  self->next = nullptr;
  self->link = nullptr;
  self->form = form;
  self->state = State::kWaiting;
  self->timed = PendingObject::Timed::kNotYet;
  self->blocking = self->unretrieved = false;
  auto* const object = reinterpret_cast<PyObject*>(self);
  PyObject_GC_Track(object);
  return py::reinterpret_steal<py::object>(object);
}

void complete(PendingObject* pending, Waking waking) {
  // Before its state says that it is done. A copy: the request holds its whole batch's answer.
  pending->timing = pending->request->timing();
  pending->timed = PendingObject::Timed::kYes;
  if (pending->state == State::kWaiting) set_outcome_of_request(pending);
  pending->request.reset();
  Py_CLEAR(pending->engine);
  wake_waiters(pending, waking);
}

void refuse(PendingObject* pending, const std::exception_ptr& error) {
  pending->timed = PendingObject::Timed::kRefused;
  fail(pending, error);
}

void bind_pending(py::module_& m) {
  asyncio::look_up();
  look_up_pending_attributes();
  PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(deallocate_pending)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse_pending)},
      {Py_tp_clear, reinterpret_cast<void*>(clear_pending)},
      {Py_tp_finalize, reinterpret_cast<void*>(finalize_pending)},
      {Py_tp_getattro, reinterpret_cast<void*>(pending_attribute)},
      {Py_tp_getattr, reinterpret_cast<void*>(pending_attribute_by_text)},
      {Py_tp_repr, reinterpret_cast<void*>(pending_repr)},
      {Py_tp_members, pending_members},
      {Py_tp_methods, pending_methods()},
      {Py_tp_getset, pending_properties()},
      {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_tp_iternext, reinterpret_cast<void*>(pending_next)},
      {Py_am_await, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_am_send, reinterpret_cast<void*>(pending_send)},
      {Py_tp_doc,
       const_cast<char*>(
           "What Engine.infer_async() returns: await it, or use it as an asyncio.Future. The "
           "request is on its way already, awaited or not; cancelling this cancels it.")},
      {0, nullptr}};
  PyType_Spec spec = {"inferometer._core.Pending", static_cast<int>(sizeof(PendingObject)), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  pending_type = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
  m.attr("Pending") = type;
}

}  // namespace inferometer::python
