// One request of many for asyncio; shared by infer_async() and infer_many_async().
#pragma once

#include <pybind11/pybind11.h>

#include "arrays.h"
#include "inferometer/engine.h"

namespace inferometer::python {

class LoopObject;

/// Makes a request of what `given` says and returns the Pending for it, which has failed if the
/// request was refused. `options` are filled in for the loop.
[[nodiscard]] pybind11::object infer_pending(LoopObject& loop, PyObject* engine, PyObject* given,
                                             CallInputs::Rows rows, SubmitOptions& options);

}  // namespace inferometer::python
