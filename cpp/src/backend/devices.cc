#include "inferometer/devices.h"

#include <unistd.h>

#include "backend/cpu_isa.h"
#include "backend/cuda_loader.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

DeviceInfo cpu() {
  return {.name = "cpu",
          .description = std::string(select_cpu_isa({}).description),
          .memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE)};
}

}  // namespace

std::vector<DeviceInfo> devices(const CudaFiles& files) {
  std::vector<DeviceInfo> all = {cpu()};
  try {
    for (const CudaDevice& gpu : cuda_module(files.module).devices()) {
      all.push_back({.name = "cuda:" + std::to_string(gpu.index),
                     .description = gpu.name + ", compute capability " +
                                    std::to_string(gpu.compute_major) + "." +
                                    std::to_string(gpu.compute_minor),
                     .memory_bytes = gpu.memory_bytes});
    }
  } catch (const DeviceError& error) {
    all.push_back({.name = "cuda", .description = "", .unavailable = error.what()});
  }
  return all;
}

}  // namespace inferometer
