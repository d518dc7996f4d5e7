#include "backend/cuda/cuda_stream.h"

#include <utility>

#include "backend/cuda/cuda_kernels.h"

namespace inferometer::cuda {
namespace {

constexpr size_t kMebibyte = size_t{1} << 20;

size_t mark_of(RunPart part) noexcept { return static_cast<size_t>(part); }

}  // namespace

size_t CudaStream::workspace_bytes(int compute_major) noexcept {
  return (compute_major >= 9 ? 32 : 4) * kMebibyte;
}

CudaStream::CudaStream(std::shared_ptr<Context> context, const CublasLibrary& library,
                       size_t workspace_bytes)
    : context_(std::move(context)) {
  const Context::Use use = context_->enter();
  try {
    create(library, workspace_bytes);
  } catch (...) {
    destroy();
    throw;
  }
}

void CudaStream::create(const CublasLibrary& library, size_t workspace_bytes) {
  // Not in step with the legacy default stream, which others in the process may use.
  context_->check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  for (cudaEvent_t& mark : marks_) context_->check(cudaEventCreate(&mark), "making an event");
  void* memory = nullptr;
  context_->check(cudaMalloc(&memory, workspace_bytes), "allocating cuBLAS's workspace");
  workspace_ = static_cast<std::byte*>(memory);
  cublas_ = std::make_unique<CublasHandle>(library, stream_, workspace_, workspace_bytes);
}

// What fails here has failed before.
void CudaStream::destroy() noexcept {
  // Once more in another way: what is still under way would use memory that is about to go.
  if (stream_ != nullptr) {
    const cudaError_t waited = cudaStreamSynchronize(stream_);
    context_->note(waited);
    if (waited != cudaSuccess) context_->note(cudaDeviceSynchronize());
  }
  cublas_.reset();
  if (workspace_ != nullptr) context_->note(cudaFree(workspace_));
  for (const cudaEvent_t mark : marks_) {
    if (mark != nullptr) context_->note(cudaEventDestroy(mark));
  }
  if (stream_ != nullptr) context_->note(cudaStreamDestroy(stream_));
}

CudaStream::~CudaStream() {
  const std::optional<Context::Use> use = context_->try_enter();
  if (use) {
    destroy();
  } else if (cublas_) {
    cublas_->forget();  // all that there was went with the context
  }
}

void CudaStream::synchronize() {
  const Context::Use use = context_->enter();
  context_->check(cudaStreamSynchronize(stream_), "waiting for the stream");
}

void CudaStream::abandon() noexcept {
  const std::optional<Context::Use> use = context_->try_enter();
  if (!use) return;
  context_->note(cudaStreamSynchronize(stream_));
}

void CudaStream::copy_async(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            const char* what) {
  if (bytes == 0) return;
  const Context::Use use = context_->enter();
  context_->check(cudaMemcpyAsync(to, from, bytes, kind, stream_), what);
}

void CudaStream::copy_in(std::byte* device, const std::byte* host, size_t bytes) {
  copy_async(device, host, bytes, cudaMemcpyHostToDevice, "copying to the device");
}

void CudaStream::copy_out(std::byte* host, const std::byte* device, size_t bytes) {
  copy_async(host, device, bytes, cudaMemcpyDeviceToHost, "copying from the device");
}

void CudaStream::copy(std::byte* to, const std::byte* from, size_t bytes) {
  copy_async(to, from, bytes, cudaMemcpyDeviceToDevice, "copying on the device");
}

void CudaStream::begin(RunPart part) {
  const Context::Use use = context_->enter();
  context_->check(cudaEventRecord(marks_[mark_of(part)], stream_), "recording an event");
}

void CudaStream::end_run() {
  const Context::Use use = context_->enter();
  context_->check(cudaEventRecord(marks_.back(), stream_), "recording an event");
}

int64_t CudaStream::elapsed_ns(RunPart part) const noexcept {
  const std::optional<Context::Use> use = context_->try_enter();
  float milliseconds = 0;
  const size_t mark = mark_of(part);
  if (!use || cudaEventElapsedTime(&milliseconds, marks_[mark], marks_[mark + 1]) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return static_cast<int64_t>(1e6 * static_cast<double>(milliseconds));
}

void CudaStream::pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) {
  const Context::Use use = context_->enter();
  cuda::pool2d(op, rows, x, y, stream_);
}

void CudaStream::add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b,
                     float* y) {
  const Context::Use use = context_->enter();
  cuda::broadcast_add(op, rows, a, b, y, stream_);
}

void CudaStream::relu(int64_t elements, const float* x, float* y) {
  const Context::Use use = context_->enter();
  cuda::relu(elements, x, y, stream_);
}

void CudaStream::softmax(const Softmax& op, int64_t rows, const float* x, float* y) {
  const Context::Use use = context_->enter();
  cuda::softmax(op, rows, x, y, stream_);
}

void CudaStream::reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) {
  const Context::Use use = context_->enter();
  cuda::reduce_mean(op, rows, x, y, stream_);
}

void CudaStream::channel_affine(const ChannelAffine& op, int64_t rows, const float* x,
                                const float* scale, const float* shift, float* y) {
  const Context::Use use = context_->enter();
  cuda::channel_affine(op, rows, x, scale, shift, y, stream_);
}

}  // namespace inferometer::cuda
