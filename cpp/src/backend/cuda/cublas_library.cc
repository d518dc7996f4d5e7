#include "backend/cuda/cublas_library.h"

#include <dlfcn.h>

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "inferometer/errors.h"

namespace inferometer::cuda {
namespace {

constexpr const char* kFile = "libcublas.so.13";

[[noreturn]] void refuse(const std::string& why) {
  throw DeviceError(
      "cuBLAS 13 is needed to run models on a GPU: " + why +
      "\nInstall it with: pip install 'nvidia-cublas==13.*' (or with the CUDA toolkit, "
      "version 13)");
}

std::string last_error() {
  const char* const text = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps one a thread
  return text != nullptr ? text : "unknown error";
}

/// Never closed: handles may be in use until the process ends.
void* open_library(const std::string& folder) {
  // The library loads a second one, libcublasLt, which it finds by its own RPATH ($ORIGIN).
  std::vector<std::string> candidates;
  if (!folder.empty()) candidates.push_back(folder + "/" + kFile);
  candidates.emplace_back(kFile);
  std::string why;
  for (const std::string& candidate : candidates) {
    if (void* const library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    why += (why.empty() ? "" : "; ") + last_error();
  }
  refuse(why);
}

template <typename Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) refuse(last_error());
}

std::unique_ptr<const CublasLibrary> load(const std::string& folder) {
  void* const library = open_library(folder);
  auto found = std::make_unique<CublasLibrary>();
  find(library, "cublasCreate_v2", found->create);
  find(library, "cublasDestroy_v2", found->destroy);
  find(library, "cublasGetVersion_v2", found->version);
  find(library, "cublasSetStream_v2", found->set_stream);
  find(library, "cublasSetWorkspace_v2", found->set_workspace);
  find(library, "cublasSetMathMode", found->set_math_mode);
  find(library, "cublasGetStatusString", found->status_string);
  find(library, "cublasSgemm_v2", found->sgemm);
  find(library, "cublasSgemmStridedBatched", found->sgemm_strided_batched);
  return found;
}

}  // namespace

const CublasLibrary& CublasLibrary::open(const std::string& folder) {
  static Mutex mutex;
  static const CublasLibrary* opened = nullptr;
  MutexLock lock(mutex);
  if (opened == nullptr) opened = load(folder).release();
  return *opened;
}

}  // namespace inferometer::cuda
