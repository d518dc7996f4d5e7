// A libnvidia-ml.so.1 without a GPU: it answers what a text file says (README.md). Built from
// NVIDIA's own nvml.h, so that its symbols and structures are those of the real one.
#include <nvml.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using Section = std::map<std::string, std::string>;

/// The file, read anew at every call. Single-owner.
struct Script {
  Section library;
  std::vector<Section> gpus;
};

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

Script read_script() {
  Script script;
  const char* const path = std::getenv("FAKE_NVML_SCRIPT");
  std::ifstream file(path != nullptr ? path : "");
  Section* section = &script.library;
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line.substr(0, line.find('#')));
    const size_t equals = line.find('=');
    if (line == "[nvml]") {
      section = &script.library;
    } else if (line == "[gpu]") {
      section = &script.gpus.emplace_back();
    } else if (equals != std::string::npos) {
      (*section)[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
  }
  return script;
}

nvmlReturn_t code_named(const std::string& name) {
  static const std::map<std::string, nvmlReturn_t> codes = {
      {"SUCCESS", NVML_SUCCESS},
      {"UNINITIALIZED", NVML_ERROR_UNINITIALIZED},
      {"INVALID_ARGUMENT", NVML_ERROR_INVALID_ARGUMENT},
      {"NOT_SUPPORTED", NVML_ERROR_NOT_SUPPORTED},
      {"NO_PERMISSION", NVML_ERROR_NO_PERMISSION},
      {"NOT_FOUND", NVML_ERROR_NOT_FOUND},
      {"DRIVER_NOT_LOADED", NVML_ERROR_DRIVER_NOT_LOADED},
      {"TIMEOUT", NVML_ERROR_TIMEOUT},
      {"GPU_IS_LOST", NVML_ERROR_GPU_IS_LOST},
      {"RESET_REQUIRED", NVML_ERROR_RESET_REQUIRED},
      {"NO_DATA", NVML_ERROR_NO_DATA},
  };
  const auto found = codes.find(name);
  return found == codes.end() ? NVML_ERROR_UNKNOWN : found->second;
}

/// The code of "!NAME", success for any other value; `missing` if there is no value.
nvmlReturn_t code_of(const Section& section, const std::string& key, nvmlReturn_t missing) {
  const auto found = section.find(key);
  if (found == section.end()) return missing;
  return found->second.starts_with('!') ? code_named(found->second.substr(1)) : NVML_SUCCESS;
}

std::atomic<int> sessions{0};
std::atomic<int> inits{0};
std::atomic<int> shutdowns{0};
std::atomic<int> surveys{0};
std::atomic<pid_t> owner{0};

/// Ends a child of fork() that uses its parent's session, as nothing good would come of it.
bool started() {
  if (sessions == 0) return false;
  if (owner != getpid()) std::abort();
  return true;
}

// Handles are the index + 1: not null, and unlike any pointer.
nvmlDevice_t handle_of(unsigned index) {
  return reinterpret_cast<nvmlDevice_t>(static_cast<uintptr_t>(index) + 1);
}

template <typename Number>
nvmlReturn_t number(nvmlDevice_t device, const std::string& key, Number* value) {
  if (!started()) return NVML_ERROR_UNINITIALIZED;
  const Script script = read_script();
  const size_t index = reinterpret_cast<uintptr_t>(device) - 1;
  if (index >= script.gpus.size()) return NVML_ERROR_GPU_IS_LOST;
  const Section& gpu = script.gpus[index];
  const nvmlReturn_t code = code_of(gpu, key, NVML_ERROR_NOT_SUPPORTED);
  if (code != NVML_SUCCESS) return code;
  const std::string& text = gpu.at(key);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() ? NVML_SUCCESS
                                                                  : NVML_ERROR_UNKNOWN;
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

// What tests ask about their own calls.
EXPORTED int fake_nvml_inits() { return inits; }
EXPORTED int fake_nvml_shutdowns() { return shutdowns; }
EXPORTED int fake_nvml_surveys() { return surveys; }

EXPORTED nvmlReturn_t nvmlInit_v2() {
  ++inits;
  const nvmlReturn_t code = code_of(read_script().library, "init", NVML_SUCCESS);
  if (code != NVML_SUCCESS) return code;
  if (sessions++ == 0) owner = getpid();
  if (owner != getpid()) std::abort();
  return NVML_SUCCESS;
}

EXPORTED nvmlReturn_t nvmlShutdown() {
  ++shutdowns;
  if (!started()) return NVML_ERROR_UNINITIALIZED;
  --sessions;
  return NVML_SUCCESS;
}

EXPORTED nvmlReturn_t nvmlDeviceGetCount_v2(unsigned* count) {
  ++surveys;
  if (!started()) return NVML_ERROR_UNINITIALIZED;
  const Script script = read_script();
  *count = static_cast<unsigned>(script.gpus.size());
  return code_of(script.library, "count", NVML_SUCCESS);
}

EXPORTED nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t* device) {
  if (!started()) return NVML_ERROR_UNINITIALIZED;
  const Script script = read_script();
  if (index >= script.gpus.size()) return NVML_ERROR_INVALID_ARGUMENT;
  const nvmlReturn_t code = code_of(script.gpus[index], "handle", NVML_SUCCESS);
  if (code == NVML_SUCCESS) *device = handle_of(index);
  return code;
}

EXPORTED nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* uuid, unsigned length) {
  if (!started()) return NVML_ERROR_UNINITIALIZED;
  const Script script = read_script();
  const size_t index = reinterpret_cast<uintptr_t>(device) - 1;
  if (index >= script.gpus.size()) return NVML_ERROR_GPU_IS_LOST;
  const nvmlReturn_t code = code_of(script.gpus[index], "uuid", NVML_ERROR_NOT_SUPPORTED);
  if (code != NVML_SUCCESS) return code;
  const std::string& text = script.gpus[index].at("uuid");
  if (text.size() >= length) return NVML_ERROR_INSUFFICIENT_SIZE;
  std::memcpy(uuid, text.c_str(), text.size() + 1);
  return NVML_SUCCESS;
}

EXPORTED nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device,
                                                    nvmlUtilization_t* utilization) {
  utilization->memory = 0;
  return number(device, "utilization", &utilization->gpu);
}

EXPORTED nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t* memory) {
  unsigned long long reserved = 0;
  (void)number(device, "memory_reserved", &reserved);
  const nvmlReturn_t code = number(device, "memory_used", &memory->used);
  if (code != NVML_SUCCESS) return code;
  memory->used += reserved;
  return number(device, "memory_total", &memory->total);
}

EXPORTED nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned* milliwatts) {
  return number(device, "power_usage", milliwatts);
}

EXPORTED nvmlReturn_t nvmlDeviceGetPowerManagementLimit(nvmlDevice_t device, unsigned* milliwatts) {
  return number(device, "power_limit", milliwatts);
}

EXPORTED nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, nvmlClockType_t which,
                                             unsigned* megahertz) {
  return number(device, which == NVML_CLOCK_MEM ? "memory_clock" : "sm_clock", megahertz);
}

// What the libraries of old drivers do not have.
#ifndef FAKE_NVML_OLD

EXPORTED nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t* memory) {
  if (memory->version != nvmlMemory_v2) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  (void)number(device, "memory_reserved", &memory->reserved);
  const nvmlReturn_t code = number(device, "memory_used", &memory->used);
  return code != NVML_SUCCESS ? code : number(device, "memory_total", &memory->total);
}

EXPORTED nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device,
                                                          unsigned long long* millijoules) {
  return number(device, "energy", millijoules);
}

EXPORTED nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, nvmlTemperatureSensors_t,
                                               unsigned* celsius) {
  return number(device, "temperature", celsius);
}

#endif
