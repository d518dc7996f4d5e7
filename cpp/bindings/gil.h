// Entering and leaving the interpreter.
#pragma once

#include <Python.h>
#include <cxxabi.h>

#include <exception>
#include <memory>

namespace inferometer::python {

/// Calls `function` (which returns nothing) without the GIL. It is taken back outside of any
/// destructor: at interpreter exit that ends the thread by unwinding it, which a destructor would
/// turn into std::terminate (pybind11's gil_scoped_release does).
template <typename Function>
void without_gil(Function&& function) {
  PyThreadState* const state = PyEval_SaveThread();
  std::exception_ptr error;
  try {
    function();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  PyEval_RestoreThread(state);
  if (error) std::rethrow_exception(error);
}

/// Holds the GIL on a thread of ours for a scope. The thread keeps one Python thread state for its
/// whole life, so that threading.local data of a model is there again at the next batch.
/// Single-owner.
class OnPythonThread {
 public:
  OnPythonThread();
  ~OnPythonThread();
  OnPythonThread(const OnPythonThread&) = delete;
  OnPythonThread& operator=(const OnPythonThread&) = delete;

 private:
  PyGILState_STATE state_;
};

/// A reference to a Python object that may be dropped on any thread, with or without the GIL: it
/// takes it. After the interpreter is gone the object is left alone.
[[nodiscard]] std::shared_ptr<void> share_object(PyObject* object);

}  // namespace inferometer::python
