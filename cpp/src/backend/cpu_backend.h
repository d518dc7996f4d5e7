// The CPU as a device: Eigen kernels compiled for several instruction sets.
#pragma once

#include <memory>
#include <string_view>

#include "backend/backend.h"

namespace inferometer {

/// A backend on the calling thread's CPU. `isa` as in select_cpu_isa(); throws what that throws.
[[nodiscard]] std::shared_ptr<Backend> make_cpu_backend(std::string_view isa = {});

}  // namespace inferometer
