// Failures and refusals told to Python's logging, where whoever operates the service looks.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace inferometer::python {

/// Warns through the logger "inferometer" of a request that failed or was refused with `error`, an
/// exception; of each of the two at most once in ten seconds, with the number of those passed over
/// since. A handler that raises is not heard. Called with the GIL held, which guards it.
void log_failure(const pybind11::object& error);
void log_refusal(const pybind11::object& error);

}  // namespace inferometer::python
