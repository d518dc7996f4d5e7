#include "backend/cpu_isa.h"

#include <cstdlib>
#include <string>

#include "inferometer/errors.h"

namespace inferometer {

const std::vector<CpuIsa>& cpu_isas() {
#if defined(__x86_64__)
  static const std::vector<CpuIsa> kIsas = {
      {"v2", "x86-64-v2", &kCpuKernelsV2, __builtin_cpu_supports("x86-64-v2") != 0},
      {"v3", "x86-64-v3", &kCpuKernelsV3, __builtin_cpu_supports("x86-64-v3") != 0},
      {"v4", "x86-64-v4", &kCpuKernelsV4, __builtin_cpu_supports("x86-64-v4") != 0}};
#else
  static const std::vector<CpuIsa> kIsas = {{"generic", "generic", &kCpuKernelsGeneric, true}};
#endif
  return kIsas;
}

const CpuIsa& select_cpu_isa(std::string_view name) {
  std::string_view wanted = name;
  std::string source = "option cpu_isa";
  if (wanted.empty()) {
    // Nothing in this library changes the environment.
    const char* variable = std::getenv("INFEROMETER_CPU_ISA");  // NOLINT(concurrency-mt-unsafe)
    if (variable != nullptr) wanted = variable;
    source = "environment variable INFEROMETER_CPU_ISA";
  }
  const CpuIsa* best = nullptr;
  std::string choices;
  for (const CpuIsa& isa : cpu_isas()) {
    if (!isa.runs_here) continue;
    if (isa.name == wanted) return isa;
    best = &isa;
    choices += (choices.empty() ? "" : ", ") + std::string(isa.name);
  }
  if (!wanted.empty() || best == nullptr) {
    throw ConfigError(source + ": got \"" + std::string(wanted) +
                      "\", this processor runs: " + choices);
  }
  return *best;
}

}  // namespace inferometer
