#include "gil.h"

#include <sys/syscall.h>

#include "base/process_generation.h"

namespace inferometer::python {
namespace {

bool interpreter_usable() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsInitialized() != 0 && Py_IsFinalizing() == 0;
#else
  return Py_IsInitialized() != 0 && _Py_IsFinalizing() == 0;
#endif
}

// Keeps this thread's Python thread state from its first use to the thread's end.
class ThreadState {
 public:
  ThreadState() : outer_(PyGILState_Ensure()), saved_(PyEval_SaveThread()) {}
  ~ThreadState() {
    if (!interpreter_usable()) return;
    park_at_interpreter_exit([this] { PyEval_RestoreThread(saved_); });
    PyGILState_Release(outer_);
  }
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;

 private:
  PyGILState_STATE outer_;
  PyThreadState* saved_;
};

PyGILState_STATE ensure_kept_state() {
  // A thread of Python's has a state of its own, which ends before our thread_local would.
  if (PyGILState_GetThisThreadState() == nullptr) {
    [[maybe_unused]] thread_local const ThreadState kept;
  }
  return PyGILState_Ensure();
}

}  // namespace

OnPythonThread::OnPythonThread()
    : state_(park_at_interpreter_exit([] { return ensure_kept_state(); })) {}

OnPythonThread::~OnPythonThread() { PyGILState_Release(state_); }

bool handles_signals() noexcept {
  // Two system calls, in every wait; it only ever changes in the child of a fork().
  thread_local uint32_t known_in = 0;  // process generation + 1; 0: not known
  thread_local bool is_main = false;
  const uint32_t now = process_generation() + 1;
  if (known_in != now) {
    is_main = syscall(SYS_gettid) == getpid();
    known_in = now;
  }
  return is_main;
}

std::shared_ptr<void> share_object(PyObject* object) {
  Py_INCREF(object);
  return {object, [](void* held) {
            if (!interpreter_usable()) return;
            const PyGILState_STATE state =
                park_at_interpreter_exit([] { return PyGILState_Ensure(); });
            Py_DECREF(static_cast<PyObject*>(held));
            PyGILState_Release(state);
          }};
}

}  // namespace inferometer::python
