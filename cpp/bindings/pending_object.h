// `_core.Pending`: what `infer_async()` returns, and how it is completed.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>

#include "answer.h"
#include "inferometer/request.h"

namespace inferometer::python {

/// An awaitable that is both a future (`asyncio.isfuture`, callbacks, `cancel`, `result`) and a
/// coroutine (`send`, `throw`, `close`: `create_task` takes it). A raw C type, so that an await
/// costs no Future, no call_soon() and no coroutine of its own.
///
/// Its request carries a borrowed pointer to it, which only its loop's LoopObject reads: that holds
/// every Pending from its submission until its request's end is delivered, whatever its callers do
/// meanwhile. Used on its loop's thread, with the GIL.
struct PendingObject {
  enum class State : uint8_t { kWaiting, kAnswered, kFailed, kCancelled };
  /// Whether `timing` holds the times of its request.
  enum class Timed : uint8_t { kNotYet, kYes, kRefused };

  PyObject_HEAD PyObject* weak_references;
  PyObject* loop;            ///< The asyncio loop.
  PyObject* engine;          ///< An instance of `_core.Engine`. Null once delivered.
  PyObject* callback;        ///< Who waits; nearly always one task. May be null.
  PyObject* context;         ///< The context of `callback`.
  PyObject* others;          ///< A list of (callback, context) of the others. May be null.
  PyObject* outcome;         ///< The answer, or the exception. Null while kWaiting or kCancelled.
  PyObject* cancel_message;  ///< May be null.
  std::shared_ptr<Request> request;  ///< Null once delivered.
  PendingObject* next;               ///< Links of the loop's list.
  PendingObject** link;              ///< Null if it is in none.
  Timing timing;                     ///< For kYes.
  AnswerForm form;
  State state;
  Timed timed;
  bool blocking;     ///< Task's mark that it was yielded by `await`.
  bool unretrieved;  ///< It failed, and nobody has looked.
};

/// A new one, in no list.
[[nodiscard]] pybind11::object make_pending(PyObject* loop, PyObject* engine, AnswerForm form);

[[nodiscard]] inline PendingObject* pending_of(PyObject* object) noexcept {
  return reinterpret_cast<PendingObject*>(object);
}

/// How callbacks are called: kDirect enters their context and calls them, which may only be done
/// where no task runs; kSoon leaves that to `loop.call_soon()`.
enum class Waking : uint8_t { kDirect, kSoon };

/// Takes the answer of the request, which has ended, and wakes who waits for it. Throws only what
/// must end the loop (KeyboardInterrupt, SystemExit); all callbacks are called or scheduled by
/// then.
void complete(PendingObject* pending, Waking waking);

/// Fails one whose request was refused, with a C++ exception.
void refuse(PendingObject* pending, const std::exception_ptr& error);

/// Adds the type to the module.
void bind_pending(pybind11::module_& m);

}  // namespace inferometer::python
