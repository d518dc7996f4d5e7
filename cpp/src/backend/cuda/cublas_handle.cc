#include "backend/cuda/cublas_handle.h"

#include <algorithm>
#include <limits>
#include <string>

#include "backend/cuda/cuda_error.h"
#include "inferometer/errors.h"

namespace inferometer::cuda {
namespace {

constexpr float kOne = 1;
constexpr float kZero = 0;
// cuBLAS counts in int. A power of two, so that what is cut stays aligned.
constexpr int64_t kMostAtOnce = int64_t{1} << 30;

/// Dimensions come from models, whose sizes were checked against memory, not against int.
int narrow(int64_t value) {
  if (value > std::numeric_limits<int>::max()) {
    throw DeviceError("a matrix of " + std::to_string(value) + " rows or columns, want at most " +
                          std::to_string(std::numeric_limits<int>::max()),
                      DeviceFault::kOther);
  }
  return static_cast<int>(value);
}

}  // namespace

CublasHandle::CublasHandle(const CublasLibrary& library, cudaStream_t stream, std::byte* workspace,
                           size_t bytes)
    : library_(library), stream_(stream) {
  check(library_.create(&handle_), "cublasCreate");
  try {
    check(library_.set_stream(handle_, stream_), "cublasSetStream");
    check(library_.set_workspace(handle_, workspace, bytes), "cublasSetWorkspace");
    // FP32 as everybody else computes it: no TF32, whatever NVIDIA_TF32_OVERRIDE-less defaults say.
    check(library_.set_math_mode(handle_, cublas::kDefaultMath), "cublasSetMathMode");
  } catch (...) {
    library_.destroy(handle_);
    throw;
  }
}

CublasHandle::~CublasHandle() {
  if (handle_ != nullptr) library_.destroy(handle_);
}

void CublasHandle::check(cublas::Status status, std::string_view what) const {
  if (status == cublas::kSuccess) return;
  // Its statuses do not tell that the device is lost, which often comes to light here first.
  const cudaError_t cause = cudaStreamQuery(stream_);
  if (is_sticky(cause)) fail(cause, std::string(what).c_str());
  static_cast<void>(cudaGetLastError());  // or the next launch would find it
  const DeviceFault fault =
      status == cublas::kAllocFailed ? DeviceFault::kOutOfMemory : DeviceFault::kOther;
  throw DeviceError(std::string(what) + ": " + library_.status_string(status), fault);
}

// Column-major, as cuBLAS reads memory: y' (n, m) = w' (n, k) * x' (k, m).
void CublasHandle::multiply(const Product& product, const float* x, const float* w, float* y) {
  const int n = narrow(product.n);
  const int k = narrow(product.k);
  const auto op = product.transpose_w ? cublas::kTransposed : cublas::kAsIs;
  const int ldw = product.transpose_w ? k : n;
  for (int64_t done = 0; done < product.m; done += kMostAtOnce) {
    const int m = narrow(std::min(product.m - done, kMostAtOnce));
    check(library_.sgemm(handle_, op, cublas::kAsIs, n, m, k, &kOne, w, ldw, x + done * k, k,
                         &kZero, y + done * n, n),
          "cublasSgemm");
  }
}

void CublasHandle::multiply(const Product& product, const ProductBatch& batch, const float* x,
                            const float* w, float* y) {
  const int m = narrow(product.m);
  const int n = narrow(product.n);
  const int k = narrow(product.k);
  const auto op = product.transpose_w ? cublas::kTransposed : cublas::kAsIs;
  const int ldw = product.transpose_w ? k : n;
  for (int64_t done = 0; done < batch.count; done += kMostAtOnce) {
    const int count = narrow(std::min(batch.count - done, kMostAtOnce));
    check(library_.sgemm_strided_batched(handle_, op, cublas::kAsIs, n, m, k, &kOne,
                                         w + done * batch.w_stride, ldw, batch.w_stride,
                                         x + done * batch.x_stride, k, batch.x_stride, &kZero,
                                         y + done * batch.y_stride, n, batch.y_stride, count),
          "cublasSgemmStridedBatched");
  }
}

}  // namespace inferometer::cuda
