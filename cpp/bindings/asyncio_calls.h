// The few things of asyncio that the engine calls.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace inferometer::python::asyncio {

/// Looks asyncio's names up, once: they are needed for every request.
void look_up();

/// The loop that runs on this thread, null if none does.
[[nodiscard]] pybind11::object running_loop();

/// Whether `loop` knows its thread, as asyncio's own do, so that runs_here() may be asked.
[[nodiscard]] bool tells_its_thread(PyObject* loop) noexcept;
/// Whether `loop` runs on this thread.
[[nodiscard]] bool runs_here(PyObject* loop) noexcept;

/// `loop.call_soon(function, [argument,] context=context)`; a fresh context for null. Throws what
/// it raises.
void call_soon(PyObject* loop, PyObject* function, PyObject* argument, PyObject* context);

/// Has `loop` watch a file descriptor: `loop.add_reader(fd, function)`.
void add_reader(PyObject* loop, int fd, const pybind11::object& function);

/// `loop.get_debug()`; false if that raises.
[[nodiscard]] bool in_debug_mode(PyObject* loop) noexcept;

/// Tells the loop's exception handler of an exception that nobody else will see.
void call_exception_handler(PyObject* loop, const std::string& message,
                            const pybind11::object& exception, PyObject* future);

[[nodiscard]] pybind11::object cancelled_error(PyObject* message);
[[noreturn]] void raise_invalid_state(const char* message);

}  // namespace inferometer::python::asyncio
