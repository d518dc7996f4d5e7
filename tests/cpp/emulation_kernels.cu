#include "emulation_kernels.h"

#include "backend/cuda/cuda_launch.h"

namespace inferometer {
namespace {

constexpr unsigned kThreads = 128;

struct Sum {
  static __device__ float of(float a, float b) { return a + b; }
};
struct Greatest {
  static __device__ float of(float a, float b) { return fmaxf(a, b); }
};

/// One value of all threads of a block, for all of them.
template <typename Operation>
__device__ __forceinline__ float reduced(float value) {
  __shared__ float partial[kThreads];
  __syncthreads();  // the last one may still be read
  partial[threadIdx.x] = value;
#pragma unroll
  for (unsigned stride = kThreads / 2; stride > 0; stride /= 2) {
    __syncthreads();
    if (threadIdx.x < stride) {
      partial[threadIdx.x] = Operation::of(partial[threadIdx.x], partial[threadIdx.x + stride]);
    }
  }
  __syncthreads();
  return partial[0];
}

__global__ void __launch_bounds__(kThreads)
    softmax(const float* __restrict__ x, float* __restrict__ y, unsigned columns) {
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  float greatest = -HUGE_VALF;
  for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) {
    greatest = fmaxf(greatest, __ldg(x + row + i));
  }
  greatest = reduced<Greatest>(greatest);
  float sum = 0.0F;
  for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) sum += expf(x[row + i] - greatest);
  sum = reduced<Sum>(sum);
  for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) {
    y[row + i] = expf(x[row + i] - greatest) / sum;
  }
}

template <typename T>
__global__ void leftovers(T* found) {
  __shared__ T shared[kThreads];
  found[blockIdx.x * kThreads + threadIdx.x] = isnan(shared[threadIdx.x]) ? T{1} : T{0};
  __syncthreads();
  shared[threadIdx.x] = T{5};
}

}  // namespace

void queue_softmax(const float* x, float* y, unsigned rows, unsigned columns, cudaStream_t stream) {
  cuda::launch(softmax, rows, kThreads, stream, x, y, columns);
}

void queue_leftovers(float* found, unsigned blocks, cudaStream_t stream) {
  cuda::launch(leftovers<float>, blocks, kThreads, stream, found);
}

}  // namespace inferometer
