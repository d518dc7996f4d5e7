// C functions as the table of a type's methods takes them.
#pragma once

#include <Python.h>

namespace inferometer::python {

/// How a function of object, arguments, count and keywords is called.
inline constexpr int kFast = METH_FASTCALL | METH_KEYWORDS;

/// A function of any signature that its flags promise.
template <typename Function>
[[nodiscard]] PyCFunction method(Function* function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace inferometer::python
