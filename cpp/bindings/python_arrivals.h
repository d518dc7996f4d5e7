// Simulated requests as they come from Python.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "inferometer/simulation.h"

namespace inferometer::python {

/// A C-contiguous array of float64, (n,) seconds or (n, 2) seconds and rows, is read where it lies.
/// Of any other iterable each item is seconds, or a tuple that begins as inferometer.Arrival does;
/// the GIL is taken once for many of them. Throws TypeError for what is no iterable; reading throws
/// ConfigError for wrong items, and what the iterable raises.
[[nodiscard]] std::unique_ptr<ArrivalSource> arrivals_from(const pybind11::object& arrivals);

}  // namespace inferometer::python
