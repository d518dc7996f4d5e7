// A libcublas.so.13 on emulated devices: the functions of cublas_abi.h.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "backend/cuda/cublas_abi.h"
#include "call.h"
#include "matrix_product.h"
#include "shared_memory.h"

// Names are NVIDIA's.
// NOLINTBEGIN(readability-identifier-naming)

namespace {

namespace cublas = inferometer::cublas;
using inferometer::emulation::Call;
using inferometer::emulation::CallKind;
using inferometer::emulation::CublasHandle;
using inferometer::emulation::current_device;
using inferometer::emulation::Emulator;
using inferometer::emulation::kFillByte;
using inferometer::emulation::Matrix;
using inferometer::emulation::MatrixProduct;
using inferometer::emulation::Stream;

cublas::Status status_of(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return cublas::kSuccess;
    case cudaErrorMemoryAllocation:
      return cublas::kAllocFailed;
    case cudaErrorInvalidValue:
      return cublas::kInvalidValue;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInitializationError:
      return cublas::kNotInitialized;
    default:
      return cublas::kExecutionFailed;
  }
}

/// Why a call may not do what it is there for.
cublas::Status refusal_of(const Call& call) {
  if (call.planned().has_value() && call.planned()->named) {
    return static_cast<cublas::Status>(call.planned()->error);
  }
  return status_of(call.refusal());
}

/// Calls body(call, handle) unless the call is to be refused.
template <typename Body>
cublas::Status handle_call(const char* name, cublas::Handle handle, Body body) {
  Call call(name, CallKind::kWork);
  const cublas::Status refusal = refusal_of(call);
  if (refusal != cublas::kSuccess) return refusal;
  const auto found = call.emulator().cublas_handles.find(handle);
  if (found == call.emulator().cublas_handles.end()) return cublas::kNotInitialized;
  if (found->second.device != current_device()) {
    call.emulator().note(current_device(), std::string(name) + ": a handle of another device");
    return cublas::kExecutionFailed;
  }
  return body(call, found->second);
}

/// Other streams may use the same workspace only if they do not run at the same time: whatever they
/// left there is gone.
bool use_workspace(Emulator& emulator, const CublasHandle& handle) {
  constexpr size_t kMostBytes = size_t{1} << 20;
  if (handle.workspace == nullptr) return true;
  if (!emulator.check_device_memory(handle.device, {handle.workspace, handle.workspace_bytes},
                                    "the workspace of cuBLAS")) {
    return false;
  }
  std::memset(handle.workspace, kFillByte, std::min(kMostBytes, handle.workspace_bytes));
  return true;
}

cublas::Status queue_product(Call& call, const CublasHandle& handle, const char* name,
                             MatrixProduct product) {
  Emulator& emulator = call.emulator();
  const std::string mistake = product.mistake();
  if (!mistake.empty()) {
    emulator.note(handle.device, std::string(name) + ": " + mistake);
    return cublas::kInvalidValue;
  }
  std::shared_ptr<Stream> stream;
  const cudaError_t error = emulator.find_stream(handle.stream, stream);
  if (error != cudaSuccess) {
    emulator.note(handle.device, std::string(name) + ": the stream is gone");
    return cublas::kExecutionFailed;
  }
  product.tf32 = handle.tf32;
  if (product.is_empty()) return cublas::kSuccess;
  emulator.queues.queue(*stream, [&emulator, handle, product] {
    if (!emulator.may_begin_kernel(handle.device)) return;
    if (use_workspace(emulator, handle)) product.run(emulator, handle.device);
  });
  return cublas::kSuccess;
}

}  // namespace

extern "C" {

CUDA_EMULATION_API cublas::Status cublasCreate_v2(cublas::Handle* handle) {
  Call call("cublasCreate_v2", CallKind::kWork);
  const cublas::Status refusal = refusal_of(call);
  if (refusal != cublas::kSuccess) return refusal;
  if (handle == nullptr) return cublas::kInvalidValue;
  *handle = Emulator::new_handle<cublas::Handle>();
  CublasHandle record;
  record.device = current_device();
  call.emulator().cublas_handles.emplace(*handle, record);
  return cublas::kSuccess;
}

CUDA_EMULATION_API cublas::Status cublasDestroy_v2(cublas::Handle handle) {
  Call call("cublasDestroy_v2", CallKind::kRelease);
  const bool existed = call.emulator().cublas_handles.erase(handle) > 0;
  const cublas::Status refusal = refusal_of(call);
  if (refusal != cublas::kSuccess) return refusal;
  return existed ? cublas::kSuccess : cublas::kNotInitialized;
}

CUDA_EMULATION_API cublas::Status cublasGetVersion_v2(cublas::Handle handle, int* version) {
  return handle_call("cublasGetVersion_v2", handle, [&](Call&, CublasHandle&) {
    if (version == nullptr) return cublas::kInvalidValue;
    *version = 130002;
    return cublas::kSuccess;
  });
}

CUDA_EMULATION_API cublas::Status cublasSetStream_v2(cublas::Handle handle, cublas::Stream stream) {
  return handle_call("cublasSetStream_v2", handle, [&](Call& call, CublasHandle& record) {
    std::shared_ptr<Stream> found;
    if (call.emulator().find_stream(stream, found) != cudaSuccess ||
        found->device != record.device) {
      return cublas::kInvalidValue;
    }
    record.stream = stream;
    record.workspace = nullptr;
    record.workspace_bytes = 0;
    return cublas::kSuccess;
  });
}

CUDA_EMULATION_API cublas::Status cublasSetWorkspace_v2(cublas::Handle handle, void* workspace,
                                                        size_t bytes) {
  return handle_call("cublasSetWorkspace_v2", handle, [&](Call& call, CublasHandle& record) {
    const bool is_aligned =
        reinterpret_cast<uintptr_t>(workspace) % cublas::kWorkspaceAlignment == 0;
    if (!is_aligned || (bytes > 0 && !call.device().memory.holds(workspace, bytes))) {
      return cublas::kInvalidValue;
    }
    record.workspace = bytes > 0 ? workspace : nullptr;
    record.workspace_bytes = bytes;
    return cublas::kSuccess;
  });
}

CUDA_EMULATION_API cublas::Status cublasSetMathMode(cublas::Handle handle, cublas::Math mode) {
  return handle_call("cublasSetMathMode", handle, [&](Call&, CublasHandle& record) {
    if (mode != cublas::kDefaultMath && mode != cublas::kPedanticMath &&
        mode != cublas::kTf32Math) {
      return cublas::kInvalidValue;
    }
    record.tf32 = mode == cublas::kTf32Math;
    return cublas::kSuccess;
  });
}

CUDA_EMULATION_API cublas::Status cublasSgemm_v2(cublas::Handle handle, cublas::Operation op_a,
                                                 cublas::Operation op_b, int m, int n, int k,
                                                 const float* alpha, const float* a, int lda,
                                                 const float* b, int ldb, const float* beta,
                                                 float* c, int ldc) {
  return handle_call("cublasSgemm_v2", handle, [&](Call& call, const CublasHandle& record) {
    if (alpha == nullptr || beta == nullptr) return cublas::kInvalidValue;
    return queue_product(call, record, "cublasSgemm_v2",
                         {op_a, op_b, m, n, k, *alpha, Matrix{a, lda, 0}, Matrix{b, ldb, 0}, *beta,
                          Matrix{c, ldc, 0}, 1, false});
  });
}

CUDA_EMULATION_API cublas::Status cublasSgemmStridedBatched(
    cublas::Handle handle, cublas::Operation op_a, cublas::Operation op_b, int m, int n, int k,
    const float* alpha, const float* a, int lda, long long stride_a, const float* b, int ldb,
    long long stride_b, const float* beta, float* c, int ldc, long long stride_c, int batch) {
  return handle_call(
      "cublasSgemmStridedBatched", handle, [&](Call& call, const CublasHandle& record) {
        if (alpha == nullptr || beta == nullptr) return cublas::kInvalidValue;
        return queue_product(
            call, record, "cublasSgemmStridedBatched",
            {op_a, op_b, m, n, k, *alpha, Matrix{a, lda, stride_a}, Matrix{b, ldb, stride_b}, *beta,
             Matrix{c, ldc, stride_c}, batch, false});
      });
}

CUDA_EMULATION_API const char* cublasGetStatusString(cublas::Status status) {
  switch (status) {
    case cublas::kSuccess:
      return "the operation was successful";
    case cublas::kNotInitialized:
      return "the library was not initialised";
    case cublas::kAllocFailed:
      return "resources could not be allocated";
    case cublas::kInvalidValue:
      return "an unsupported value was passed";
    case cublas::kArchMismatch:
      return "the device lacks what is needed";
    case cublas::kMappingError:
      return "memory could not be accessed";
    case cublas::kExecutionFailed:
      return "the program failed on the device";
    case cublas::kInternalError:
      return "an internal operation failed";
    case cublas::kNotSupported:
      return "not supported";
    case cublas::kLicenseError:
      return "no licence was found";
  }
  return "unknown status";
}

}  // extern "C"

// NOLINTEND(readability-identifier-naming)
