#include "backend/cuda_loader.h"

#include <dlfcn.h>

#include <map>

#include "base/mutex.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

const CudaModule& open_module(const std::string& file) {
  if (file.empty()) {
    throw DeviceError(
        "this build has no CUDA: build it with nvcc on the path, or with -DINFEROMETER_CUDA=ON");
  }
  // RTLD_LOCAL: nobody else is to find our static CUDA runtime.
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    // glibc keeps one text a thread. NOLINTNEXTLINE(concurrency-mt-unsafe)
    throw DeviceError("CUDA's part of inferometer cannot be opened: " + std::string(dlerror()));
  }
  auto* const entry = reinterpret_cast<CudaModuleEntry*>(dlsym(library, kCudaModuleEntry));
  const CudaModule* const module = entry != nullptr ? entry(INFEROMETER_VERSION) : nullptr;
  if (module == nullptr) {
    throw DeviceError(file + " is not CUDA's part of inferometer " + INFEROMETER_VERSION +
                      ": build and install them together");
  }
  return *module;
}

}  // namespace

const CudaModule& cuda_module(const std::string& file) {
  static Mutex mutex;
  static auto* const opened = new std::map<std::string, const CudaModule*>();
  MutexLock lock(mutex);
  const CudaModule*& module = (*opened)[file];
  if (module == nullptr) module = &open_module(file);
  return *module;
}

}  // namespace inferometer
