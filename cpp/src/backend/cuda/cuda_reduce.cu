// Means over any axes. A thread's sum is compensated and threads' sums are added as a tree: the
// error is a few units in the last place of the sum of the magnitudes, however many there are.
#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"
#include "backend/cuda/cuda_sum.h"

namespace inferometer::cuda {
namespace {

/// Several threads share an output. `along`: reduced elements lie side by side; a line of threads
/// (x) takes an output, a block as many outputs (y) as it has threads for. Else outputs do:
/// neighbouring threads (x) take neighbouring outputs, and a few threads (y) share each.
__global__ void __launch_bounds__(kBlockThreads)
    reduce_mean_kernel(ReduceMean op, bool along, int64_t outputs, int64_t count,
                       const float* __restrict__ x, float* __restrict__ y) {
  __shared__ float values[kBlockThreads];
  const Team team =
      along ? Team{threadIdx.x, blockDim.x, 1} : Team{threadIdx.y, blockDim.y, blockDim.x};
  const int64_t width = along ? blockDim.y : blockDim.x;  // outputs of a block
  const int64_t self = along ? threadIdx.y : threadIdx.x;
  // The loop is the same for all threads of the block: they meet in it.
#pragma unroll 1
  for (int64_t first = blockIdx.x * width; first < outputs; first += gridDim.x * width) {
    const int64_t output = first + self;
    const int64_t row = output / op.y_row_stride;
    const float* from =
        x + row * op.x_row_stride +
        strided_offset(output - row * op.y_row_stride, op.kept_rank, op.kept_dims, op.kept_strides);
    CompensatedSum sum;
    for (int64_t k = team.lane; k < count && output < outputs; k += team.lanes) {
      sum.add(from[strided_offset(k, op.reduced_rank, op.reduced_dims, op.reduced_strides)]);
    }
    const float total = combine_team(team, sum.value(), values, Plus());
    if (team.lane == 0 && output < outputs) y[output] = total / static_cast<float>(count);
  }
}

}  // namespace

void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y,
                 cudaStream_t stream) {
  const int64_t outputs = rows * op.y_row_stride;
  if (outputs == 0) return;
  int64_t count = 1;
  for (int i = 0; i < op.reduced_rank; ++i) count *= op.reduced_dims[i];
  const bool along = op.reduced_rank > 0 && op.reduced_strides[op.reduced_rank - 1] == 1;
  // Across, a warp reads side by side as far as there are outputs; the rest of a block shares them.
  const int64_t lanes =
      power_of_two(count, kBlockThreads / (along ? 1 : power_of_two(outputs, 32)));
  const int64_t width = kBlockThreads / lanes;
  launch_checked(reduce_mean_kernel, grid_of(ceil_div(outputs, width)),
                 along ? block_of(lanes, width) : block_of(width, lanes), stream, op, along,
                 outputs, count, x, y);
}

}  // namespace inferometer::cuda
