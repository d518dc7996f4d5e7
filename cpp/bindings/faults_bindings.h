// Binds Faults, and puts them around models.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "inferometer/executable.h"
#include "inferometer/faults.h"

namespace inferometer::python {

/// `model` with `faults`, or `model` itself if they are null. Lets go of the GIL while it holds a
/// batch on a thread that has it: whoever is to clear the fault may need it.
[[nodiscard]] std::shared_ptr<Executable> with_faults(std::shared_ptr<Executable> model,
                                                      std::shared_ptr<Faults> faults);

/// Adds `_core.Faults`.
void bind_faults(pybind11::module_& m);

}  // namespace inferometer::python
