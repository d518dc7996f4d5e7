#include "monitor/nvml_session.h"

#include <dlfcn.h>

#include <array>
#include <utility>

namespace inferometer {
namespace {

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

/// Whether the GPU, or NVML, is not there any more, rather than one answer.
bool is_lost(nvml::Return code) noexcept {
  switch (code) {
    case nvml::kUninitialized:
    case nvml::kNotFound:
    case nvml::kDriverNotLoaded:
    case nvml::kGpuIsLost:
    case nvml::kResetRequired:
    case nvml::kGpuNotFound:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::unique_ptr<NvmlSession> NvmlSession::open(const std::string& library) {
  // NODELETE: unloading a driver's library is asking for trouble, and it may be used by others.
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return nullptr;
  Functions found;
  // nvml.h maps the plain names of some to these versions of them.
  find(handle, "nvmlInit_v2", found.init);
  find(handle, "nvmlShutdown", found.shutdown);
  find(handle, "nvmlDeviceGetCount_v2", found.count);
  find(handle, "nvmlDeviceGetHandleByIndex_v2", found.handle);
  find(handle, "nvmlDeviceGetUUID", found.uuid);
  find(handle, "nvmlDeviceGetUtilizationRates", found.utilization);
  find(handle, "nvmlDeviceGetMemoryInfo", found.memory);
  find(handle, "nvmlDeviceGetMemoryInfo_v2", found.memory2);
  find(handle, "nvmlDeviceGetPowerUsage", found.power);
  find(handle, "nvmlDeviceGetPowerManagementLimit", found.power_limit);
  find(handle, "nvmlDeviceGetTotalEnergyConsumption", found.energy);
  find(handle, "nvmlDeviceGetClockInfo", found.clock);
  find(handle, "nvmlDeviceGetTemperature", found.temperature);
  dlclose(handle);  // lowers a count
  if (found.init == nullptr || found.shutdown == nullptr || found.count == nullptr ||
      found.handle == nullptr || found.init() != nvml::kSuccess) {
    return nullptr;
  }
  return std::unique_ptr<NvmlSession>(new NvmlSession(found));
}

NvmlSession::~NvmlSession() { (void)functions_.shutdown(); }

/// Asks one GPU. Notes if it is lost, and asks nothing more then. Single-owner.
class NvmlSession::Reader {
 public:
  Reader(const Functions& functions, unsigned index) : functions_(functions) {
    state_.index = index;
    has_handle_ = asked(functions_.handle(index, &device_));
  }

  void read() {
    if (!has_handle_) return;
    std::array<char, nvml::kUuidBytes> uuid{};
    if (ask(functions_.uuid, uuid.data(), static_cast<unsigned>(uuid.size() - 1))) {
      state_.uuid = uuid.data();
    }
    nvml::Utilization utilization{};
    if (ask(functions_.utilization, &utilization)) state_.utilization_percent = utilization.gpu;
    read_memory();
    get(functions_.power, state_.power_milliwatts);
    get(functions_.power_limit, state_.power_limit_milliwatts);
    unsigned long long energy = 0;
    if (ask(functions_.energy, &energy)) state_.energy_millijoules = energy;
    get(functions_.clock, state_.sm_clock_megahertz, nvml::kSmClock);
    get(functions_.clock, state_.memory_clock_megahertz, nvml::kMemoryClock);
    get(functions_.temperature, state_.temperature_celsius, nvml::kDie);
  }

  [[nodiscard]] bool lost() const noexcept { return lost_; }
  /// Not lost, and ours to look at (a container may see some GPUs only).
  [[nodiscard]] bool reachable() const noexcept { return has_handle_ && !lost_; }
  [[nodiscard]] GpuState& state() noexcept { return state_; }

 private:
  bool asked(nvml::Return code) noexcept {
    if (code == nvml::kSuccess) return true;
    lost_ = is_lost(code);  // nothing is asked after that
    return false;
  }
  template <typename Function, typename... Arguments>
  bool ask(Function* function, Arguments... arguments) {
    return function != nullptr && !lost_ && asked(function(device_, arguments...));
  }
  template <typename Function, typename... Arguments>
  void get(Function* function, std::optional<unsigned>& field, Arguments... arguments) {
    unsigned value = 0;
    if (ask(function, arguments..., &value)) field = value;
  }
  void read_memory() {
    nvml::Memory2 memory2{};
    memory2.version = nvml::kMemory2Version;
    if (ask(functions_.memory2, &memory2)) {
      state_.memory_total_bytes = memory2.total;
      state_.memory_used_bytes = memory2.used;
      return;
    }
    nvml::Memory memory{};
    if (!ask(functions_.memory, &memory)) return;
    state_.memory_total_bytes = memory.total;
    state_.memory_used_bytes = memory.used;
  }

  const Functions& functions_;
  nvml::Device device_ = nullptr;
  GpuState state_;
  bool lost_ = false;
  bool has_handle_ = false;
};

NvmlSession::Survey NvmlSession::survey() const {
  Survey survey;
  unsigned count = 0;
  if (functions_.count(&count) != nvml::kSuccess) {
    survey.complete = false;
    return survey;
  }
  for (unsigned index = 0; index < count; ++index) {
    Reader gpu(functions_, index);
    gpu.read();
    if (gpu.lost()) survey.complete = false;
    if (gpu.reachable()) survey.gpus.push_back(std::move(gpu.state()));
  }
  return survey;
}

}  // namespace inferometer
