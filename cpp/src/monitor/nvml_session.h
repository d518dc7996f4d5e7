// NVML, loaded at run time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "monitor/nvml_abi.h"

namespace inferometer {

/// What one GPU answered. A field that it does not support, or failed to give, is absent.
struct GpuState {
  unsigned index = 0;  ///< NVML's, from 0.
  std::string uuid;    ///< "GPU-...", empty if it has none.
  std::optional<unsigned> utilization_percent;
  std::optional<uint64_t> memory_total_bytes;
  std::optional<uint64_t> memory_used_bytes;
  std::optional<unsigned> power_milliwatts;
  std::optional<unsigned> power_limit_milliwatts;
  std::optional<uint64_t> energy_millijoules;  ///< Since the driver was loaded.
  std::optional<unsigned> sm_clock_megahertz;
  std::optional<unsigned> memory_clock_megahertz;
  std::optional<unsigned> temperature_celsius;
};

/// NVML between nvmlInit and nvmlShutdown. A child of fork() must not use its parent's.
/// Single-owner.
class NvmlSession {
 public:
  struct Survey {
    std::vector<GpuState> gpus;  ///< Without those that are lost.
    bool complete = true;        ///< False: a GPU or NVML itself was lost; a new session may help.
  };

  /// Loads `library` as dlopen() finds it. Null if there is none, if it is not NVML, or if NVML
  /// does not start (no driver).
  [[nodiscard]] static std::unique_ptr<NvmlSession> open(const std::string& library);
  ~NvmlSession();
  NvmlSession(const NvmlSession&) = delete;
  NvmlSession& operator=(const NvmlSession&) = delete;

  [[nodiscard]] Survey survey() const;

 private:
  // Those that may be null are of newer or older drivers than this one.
  struct Functions {
    nvml::InitFunction* init = nullptr;
    nvml::InitFunction* shutdown = nullptr;
    nvml::CountFunction* count = nullptr;
    nvml::HandleFunction* handle = nullptr;
    nvml::UuidFunction* uuid = nullptr;  // may be null, as all below
    nvml::UtilizationFunction* utilization = nullptr;
    nvml::MemoryFunction* memory = nullptr;
    nvml::Memory2Function* memory2 = nullptr;
    nvml::NumberFunction* power = nullptr;
    nvml::NumberFunction* power_limit = nullptr;
    nvml::LargeNumberFunction* energy = nullptr;
    nvml::ClockFunction* clock = nullptr;
    nvml::TemperatureFunction* temperature = nullptr;
  };
  class Reader;

  explicit NvmlSession(const Functions& functions) noexcept : functions_(functions) {}

  const Functions functions_;
};

}  // namespace inferometer
