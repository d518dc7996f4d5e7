// Softmax: exp(x - max) / sum of the same (Goodfellow, Bengio, Courville: Deep Learning, 4.1),
// which cannot overflow. A group with NaN, with infinity, or of minus infinity alone is all NaN.
#include <cmath>

#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"
#include "backend/cuda/cuda_sum.h"

namespace inferometer::cuda {
namespace {

/// The part of one thread: elements lane, lane + lanes, ... of a group of `length` elements,
/// `inner` apart (0 elements where there is no group). All threads of the block must call it.
__device__ inline void softmax_group(const Team& team, int64_t length, int64_t inner,
                                     const float* x, float* y, float* values) {
  float best = kMinusInfinity;
  for (int64_t k = team.lane; k < length; k += team.lanes) best = Maximum()(best, x[k * inner]);
  best = combine_team(team, best, values, Maximum());
  CompensatedSum sum;
  for (int64_t k = team.lane; k < length; k += team.lanes) {
    const float value = expf(x[k * inner] - best);
    y[k * inner] = value;
    sum.add(value);
  }
  const float factor = 1.0F / combine_team(team, sum.value(), values, Plus());
  for (int64_t k = team.lane; k < length; k += team.lanes) y[k * inner] *= factor;
}

/// Elements of a group lie side by side, or nearly so: a line of threads (x) takes a group, and a
/// block as many groups (y) as it has threads for; one, if a group is long.
__global__ void __launch_bounds__(kBlockThreads)
    softmax_along_kernel(Softmax op, int64_t groups, const float* __restrict__ x,
                         float* __restrict__ y) {
  __shared__ float values[kBlockThreads];
  const Team team{threadIdx.x, blockDim.x, 1};
  // The loop is the same for all threads of the block: they meet in it.
#pragma unroll 1
  for (int64_t first = int64_t{blockIdx.x} * blockDim.y; first < groups;
       first += int64_t{gridDim.x} * blockDim.y) {
    const int64_t group = first + threadIdx.y;
    const int64_t outer = group / op.inner;
    const int64_t at = outer * op.length * op.inner + (group - outer * op.inner);
    softmax_group(team, group < groups ? op.length : 0, op.inner, x + at, y + at, values);
  }
}

/// Elements of a group are far apart, and groups lie side by side: neighbouring threads (x) take
/// neighbouring groups, and a few threads (y) share each.
__global__ void __launch_bounds__(kBlockThreads)
    softmax_across_kernel(Softmax op, int64_t outers, const float* __restrict__ x,
                          float* __restrict__ y) {
  __shared__ float values[kBlockThreads];
  const Team team{threadIdx.y, blockDim.y, blockDim.x};
#pragma unroll 1
  for (int64_t outer = blockIdx.y; outer < outers; outer += gridDim.y) {
#pragma unroll 1
    for (int64_t first = int64_t{blockIdx.x} * blockDim.x; first < op.inner;
         first += int64_t{gridDim.x} * blockDim.x) {
      const int64_t i = first + threadIdx.x;
      const int64_t at = outer * op.length * op.inner + i;
      softmax_group(team, i < op.inner ? op.length : 0, op.inner, x + at, y + at, values);
    }
  }
}

}  // namespace

void softmax(const Softmax& op, int64_t rows, const float* x, float* y, cudaStream_t stream) {
  const int64_t outers = rows * op.outer;
  if (outers == 0 || op.length == 0 || op.inner == 0) return;
  if (op.inner < 32) {  // less than a warp would read side by side
    const int64_t lanes = power_of_two(op.length, kBlockThreads);
    const int64_t height = kBlockThreads / lanes;
    launch_checked(softmax_along_kernel, grid_of(ceil_div(outers * op.inner, height)),
                   block_of(lanes, height), stream, op, outers * op.inner, x, y);
  } else {
    const int64_t lanes = power_of_two(op.length, 8);
    const int64_t width = least(op.inner, kBlockThreads / lanes);
    launch_checked(softmax_across_kernel, grid_of(ceil_div(op.inner, width), outers),
                   block_of(width, lanes), stream, op, outers, x, y);
  }
}

}  // namespace inferometer::cuda
