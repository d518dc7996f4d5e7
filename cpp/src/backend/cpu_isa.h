// Which CPU kernels exist in this build and which of them this processor can run.
#pragma once

#include <string_view>
#include <vector>

#include "backend/cpu_kernels.h"

namespace inferometer {

/// Kernels under the name users know: "v2", "v3", "v4" (levels of x86-64), or "generic".
struct CpuIsa {
  std::string_view name;
  std::string_view description;
  const CpuKernels* kernels;
  bool runs_here;
};

/// All that are compiled in, slowest first. At least one runs here.
[[nodiscard]] const std::vector<CpuIsa>& cpu_isas();

/// The one called `name`; empty: the one that the environment variable INFEROMETER_CPU_ISA names,
/// or else the best that runs here. Throws ConfigError for a name that is unknown or that this
/// processor cannot run.
[[nodiscard]] const CpuIsa& select_cpu_isa(std::string_view name = {});

}  // namespace inferometer
