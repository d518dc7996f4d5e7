#include "loop_object.h"

#include <algorithm>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>

#include "asyncio_calls.h"
#include "engine_object.h"
#include "errors.h"
#include "pending_object.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// How many requests are delivered in one go, so that the loop looks at its sockets in between.
constexpr size_t kDeliveredAtOnce = 1024;

// How long batches may run on the loop's thread in one go.
constexpr int64_t kLoopBudgetNs = 1'000'000;

PyTypeObject* loop_object_type = nullptr;  // lives as long as the process

// By their loops. A LoopObject holds its loop, so no other can be at its address while it is here.
// Guarded by the GIL; never destroyed.
std::unordered_map<PyObject*, LoopObject*>& by_loop() {
  static auto* const all = new std::unordered_map<PyObject*, LoopObject*>();
  return *all;
}

// The last one that was asked for, if it still is there. Guarded by the GIL.
LoopObject* last = nullptr;

void unlink(PendingObject* pending) {
  *pending->link = pending->next;
  if (pending->next != nullptr) pending->next->link = pending->link;
  pending->next = nullptr;
  pending->link = nullptr;
}

}  // namespace

// The type's slots and the methods that the loop calls.
struct LoopSlots {
  static LoopObject* self(PyObject* object) { return reinterpret_cast<LoopObject*>(object); }

  static int traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self(object)->loop_);
    const LoopObject::State* const state = self(object)->state_;
    if (state == nullptr) return 0;
    for (const py::object& engine : state->to_flush) Py_VISIT(engine.ptr());
    for (PendingObject* each = state->in_flight; each != nullptr; each = each->next) {
      Py_VISIT(reinterpret_cast<PyObject*>(each));
    }
    return 0;
  }

  static int clear_references(PyObject* object) {
    self(object)->let_go();
    return 0;
  }

  static void deallocate(PyObject* object) {
    PyObject_GC_UnTrack(object);
    PyTypeObject* const type = Py_TYPE(object);
    self(object)->let_go();
    delete self(object)->state_;
    PyObject_GC_Del(object);
    Py_DECREF(type);
  }

  template <void (LoopObject::*Method)()>
  static PyObject* call(PyObject* object, PyObject* /*unused*/) {
    return translated([&] {
      (self(object)->*Method)();
      return Py_NewRef(Py_None);
    });
  }

  static PyObject* wakeups(PyObject* object, void* /*closure*/) {
    return PyLong_FromUnsignedLongLong(self(object)->completions()->wakeups());
  }

  // Called by the loop alone: they are no attributes of the type.
  static PyMethodDef end_of_turn;
  static PyMethodDef take_completions;
};

PyMethodDef LoopSlots::end_of_turn = {"end_of_turn", call<&LoopObject::end_of_turn>, METH_NOARGS,
                                      nullptr};
PyMethodDef LoopSlots::take_completions = {"take_completions", call<&LoopObject::take_completions>,
                                           METH_NOARGS, nullptr};

LoopObject* LoopObject::of_running_loop() {
  // A thread runs one loop at a time. Asking asyncio for it takes a system call.
  if (last != nullptr && last->state_->tells_thread && asyncio::runs_here(last->loop_)) return last;
  const py::object loop = asyncio::running_loop();
  if (!loop) return nullptr;
  const auto found = by_loop().find(loop.ptr());
  last = found != by_loop().end() ? found->second : make(loop);
  return last;
}

LoopObject* LoopObject::make(const py::object& loop) {
  auto state = std::make_unique<State>();
  state->tells_thread = asyncio::tells_its_thread(loop.ptr());
  auto* const self = PyObject_GC_New(LoopObject, loop_object_type);
  if (self == nullptr) throw std::bad_alloc();
  self->loop_ = py::object(loop).release().ptr();
  self->state_ = state.release();
  auto* const object = reinterpret_cast<PyObject*>(self);
  const auto held = py::reinterpret_steal<py::object>(object);
  PyObject_GC_Track(object);
  const auto reader =
      py::reinterpret_steal<py::object>(PyCFunction_New(&LoopSlots::take_completions, object));
  if (!reader) throw py::error_already_set();
  asyncio::add_reader(self->loop_, self->completions()->fd(), reader);  // from here the loop's
  by_loop()[self->loop_] = self;
  return self;
}

void LoopObject::let_go() {
  if (loop_ == nullptr) return;
  const auto found = by_loop().find(loop_);
  if (found != by_loop().end() && found->second == this) by_loop().erase(found);
  if (last == this) last = nullptr;
  while (state_->in_flight != nullptr) {
    PendingObject* const pending = state_->in_flight;
    unlink(pending);
    Py_DECREF(reinterpret_cast<PyObject*>(pending));
  }
  // The requests go on, and others' may wait for the flush that this loop owes.
  for (const py::object& engine : std::exchange(state_->to_flush, {})) {
    engine_of(engine.ptr()).engine().leave_to_worker();
  }
  Py_CLEAR(loop_);
}

void LoopObject::submitted(PendingObject* pending, PyObject* engine) {
  Py_INCREF(reinterpret_cast<PyObject*>(pending));
  pending->next = state_->in_flight;
  pending->link = &state_->in_flight;
  if (pending->next != nullptr) pending->next->link = &pending->next;
  state_->in_flight = pending;
  const auto is_engine = [&](const py::object& one) { return one.is(py::handle(engine)); };
  if (std::ranges::none_of(state_->to_flush, is_engine)) {
    state_->to_flush.push_back(py::reinterpret_borrow<py::object>(engine));
  }
  schedule_end_of_turn();
}

void LoopObject::schedule_end_of_turn() {
  if (state_->turn_scheduled) return;
  const auto callback = py::reinterpret_steal<py::object>(
      PyCFunction_New(&LoopSlots::end_of_turn, reinterpret_cast<PyObject*>(this)));
  if (!callback) throw py::error_already_set();
  // In a context of its own: a model that runs here must not see the variables of some task.
  asyncio::call_soon(loop_, callback.ptr(), nullptr, nullptr);
  state_->turn_scheduled = true;
}

void LoopObject::end_of_turn() {
  state_->turn_scheduled = false;
  flush_engines();
  deliver();
}

void LoopObject::take_completions() {
  for (auto& request : state_->completions->take()) state_->ended.push_back(std::move(request));
  deliver();
}

void LoopObject::flush_engines() {
  std::vector<std::shared_ptr<Request>> ended;
  for (py::object& engine : std::exchange(state_->to_flush, {})) {
    auto status = FlushStatus::kDone;
    try {
      status = engine_of(engine.ptr()).flush(*state_->completions, ended, kLoopBudgetNs);
    } catch (const std::exception&) {  // the other engines' requests must not suffer
      set_python_error(std::current_exception());
      PyErr_WriteUnraisable(engine.ptr());
    }
    if (status == FlushStatus::kMoreToDo) {
      state_->to_flush.push_back(std::move(engine));
      schedule_end_of_turn();
    }
  }
  for (auto& request : ended) state_->ended.push_back(std::move(request));
}

// Tasks are woken in here, one after the other, and may submit again or even run the loop.
void LoopObject::deliver() {
  if (state_->ended.empty()) return;
  const Waking waking = asyncio::in_debug_mode(loop_) ? Waking::kSoon : Waking::kDirect;
  for (size_t left = std::min(state_->ended.size(), kDeliveredAtOnce);
       left > 0 && !state_->ended.empty(); --left) {
    const std::shared_ptr<Request> request = std::move(state_->ended.front());
    state_->ended.pop_front();
    auto* const pending = static_cast<PendingObject*>(request->attachment().get());
    unlink(pending);  // its reference is ours
    const auto held = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(pending));
    try {
      complete(pending, waking);
    } catch (py::error_already_set&) {
      // It ends the loop; if somebody runs it again, the others get their answers.
      if (!state_->ended.empty()) schedule_end_of_turn();
      throw;
    }
  }
  // Ctrl-C while a model ran in flush_engines().
  const bool interrupted = PyErr_CheckSignals() != 0;
  std::optional<py::error_already_set> interrupt;
  if (interrupted) interrupt.emplace();
  if (!state_->ended.empty()) schedule_end_of_turn();
  if (interrupt) throw py::error_already_set(*interrupt);
}

void bind_completions(py::module_& m) {
  static PyGetSetDef properties[] = {
      {"wakeups", LoopSlots::wakeups, nullptr, "Times that workers have woken the loop.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr}};
  PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(LoopSlots::deallocate)},
      {Py_tp_traverse, reinterpret_cast<void*>(LoopSlots::traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(LoopSlots::clear_references)},
      {Py_tp_getset, properties},
      {Py_tp_doc,
       const_cast<char*>("What an asyncio loop shares with the engines that its tasks call.")},
      {0, nullptr}};
  PyType_Spec spec = {"inferometer._core.Completions", static_cast<int>(sizeof(LoopObject)), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      slots};
  const auto type = py::reinterpret_steal<py::object>(PyType_FromSpec(&spec));
  if (!type) throw py::error_already_set();
  loop_object_type = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
  m.attr("Completions") = type;
  m.def(
      "completions",
      []() -> py::object {
        LoopObject* const self = LoopObject::of_running_loop();
        if (self == nullptr) return py::none();
        return py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(self));
      },
      "The completions of the running loop, None if no loop runs.");
}

}  // namespace inferometer::python
