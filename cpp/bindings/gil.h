// Entering and leaving the interpreter.
#pragma once

#include <Python.h>
#include <cxxabi.h>
#include <unistd.h>

#include <exception>
#include <memory>

namespace inferometer::python {

/// Calls `function`, which may be stopped by an interpreter that has begun to exit: up to
/// Python 3.13 that ends a thread that wants the GIL by unwinding it, through destructors that
/// would touch Python objects without it. The thread is parked instead (as Python 3.14 does); the
/// process is about to end. What needs destruction must be made outside.
template <typename Function>
auto park_at_interpreter_exit(Function&& function) {
  try {
    return function();
  } catch (const abi::__forced_unwind&) {
    for (;;) pause();
  }
}

/// Calls `function` (which returns nothing) without the GIL.
template <typename Function>
void without_gil(Function&& function) {
  PyThreadState* const state = PyEval_SaveThread();
  std::exception_ptr error;
  try {
    function();
  } catch (...) {
    error = std::current_exception();
  }
  park_at_interpreter_exit([state] { PyEval_RestoreThread(state); });
  if (error) std::rethrow_exception(error);
}

/// Holds the GIL for a scope, on any thread and also where it is held already. A thread of ours
/// keeps one Python thread state for its whole life, so that threading.local data of a model is
/// there again at the next batch. Single-owner.
class OnPythonThread {
 public:
  OnPythonThread();
  ~OnPythonThread();
  OnPythonThread(const OnPythonThread&) = delete;
  OnPythonThread& operator=(const OnPythonThread&) = delete;

 private:
  PyGILState_STATE state_;
};

/// True on the thread that runs Python's signal handlers.
[[nodiscard]] bool handles_signals() noexcept;

/// A reference to a Python object that may be dropped on any thread, with or without the GIL: it
/// takes it. After the interpreter is gone the object is left alone.
[[nodiscard]] std::shared_ptr<void> share_object(PyObject* object);

}  // namespace inferometer::python
