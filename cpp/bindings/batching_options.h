// Options of batching on their way from Python to the core.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "inferometer/batching.h"

namespace inferometer::python {

/// An inferometer.Batching, whose types it has checked itself, as the core takes it. Throws
/// ConfigError for numbers that the core cannot hold; Batching::check() says what else is wrong.
[[nodiscard]] Batching to_batching(const pybind11::handle& batching);

/// Seconds as nanoseconds. Throws ConfigError for nan.
[[nodiscard]] int64_t option_ns(const std::string& option, double seconds);

}  // namespace inferometer::python
