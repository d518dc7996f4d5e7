// An engine's statistics as Python shows them.
#pragma once

#include <pybind11/pybind11.h>

#include "inferometer/engine.h"

namespace inferometer::python {

/// What `stats()` returns.
[[nodiscard]] pybind11::dict to_dict(const EngineStats& stats);

}  // namespace inferometer::python
