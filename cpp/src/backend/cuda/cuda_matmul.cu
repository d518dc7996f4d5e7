// Products of matrices whose batch dimensions are strided or broadcast.
#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"

namespace inferometer::cuda {
namespace {

constexpr unsigned kSide = 16;  // threads of a block along each axis
constexpr unsigned kDepth = 16;
constexpr unsigned kThreadColumns = 4;
constexpr unsigned kTileColumns = kSide * kThreadColumns;
static_assert(kSide * kSide == kBlockThreads);
static_assert(kDepth == kSide, "a thread loads one element of each row of the left tile");

/// A tile of y is a block's: 64 columns and 16 * kThreadRows rows. Both operands come by way of
/// shared memory, 16 elements deep at a time (CUDA C++ Programming Guide, "Shared Memory"); a
/// thread keeps kThreadRows * 4 sums, 16 rows and 16 columns apart, so that a warp's reads of
/// shared memory fall on different banks or the same word, and its writes of y side by side. Tiles
/// are numbered row-major over (row and batch, tiles down, tiles across).
template <unsigned kThreadRows>
__global__ void __launch_bounds__(kBlockThreads)
    matmul_kernel(MatMul op, int64_t tiles, int64_t tiles_down, int64_t tiles_across,
                  int64_t batches, const float* __restrict__ a, const float* __restrict__ b,
                  float* __restrict__ y) {
  constexpr unsigned kTileRows = kSide * kThreadRows;
  // Transposed; one element more, or all threads would write to one bank.
  __shared__ float left[kDepth][kTileRows + 1];
  __shared__ float right[kDepth][kTileColumns];
  const unsigned tx = threadIdx.x;
  const unsigned ty = threadIdx.y;
#pragma unroll 1
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int64_t tile_row = tile / tiles_across;
    const int64_t product = tile_row / tiles_down;
    const int64_t first_row = (tile_row - product * tiles_down) * kTileRows;
    const int64_t first_column = (tile - tile_row * tiles_across) * kTileColumns;
    const int64_t row = product / batches;
    const int64_t batch = product - row * batches;
    const float* lhs = a + row * op.a_row_stride +
                       strided_offset(batch, op.batch_rank, op.batch_dims, op.a_strides);
    const float* rhs = b + row * op.b_row_stride +
                       strided_offset(batch, op.batch_rank, op.batch_dims, op.b_strides);
    float sums[kThreadRows][kThreadColumns] = {};
    for (int64_t depth = 0; depth < op.k; depth += kDepth) {
      for (unsigned r = 0; r < kThreadRows; ++r) {
        const int64_t i = first_row + ty + r * kSide;
        const int64_t k = depth + tx;
        left[tx][ty + r * kSide] = i < op.m && k < op.k ? lhs[i * op.k + k] : 0.0F;
      }
      for (unsigned c = 0; c < kThreadColumns; ++c) {
        const unsigned element = (c * kSide + ty) * kSide + tx;
        const int64_t k = depth + element / kTileColumns;
        const int64_t j = first_column + element % kTileColumns;
        right[element / kTileColumns][element % kTileColumns] =
            k < op.k && j < op.n ? rhs[k * op.n + j] : 0.0F;
      }
      __syncthreads();
      for (unsigned d = 0; d < kDepth; ++d) {
        for (unsigned r = 0; r < kThreadRows; ++r) {
          const float factor = left[d][ty + r * kSide];
          for (unsigned c = 0; c < kThreadColumns; ++c)
            sums[r][c] += factor * right[d][tx + c * kSide];
        }
      }
      __syncthreads();
    }
    for (unsigned r = 0; r < kThreadRows; ++r) {
      const int64_t i = first_row + ty + r * kSide;
      for (unsigned c = 0; c < kThreadColumns; ++c) {
        const int64_t j = first_column + tx + c * kSide;
        if (i < op.m && j < op.n) y[(product * op.m + i) * op.n + j] = sums[r][c];
      }
    }
  }
}

template <unsigned kThreadRows>
void launch_matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y,
                   cudaStream_t stream) {
  int64_t batches = 1;
  for (int i = 0; i < op.batch_rank; ++i) batches *= op.batch_dims[i];
  const int64_t tiles_down = ceil_div(op.m, kSide * kThreadRows);
  const int64_t tiles_across = ceil_div(op.n, kTileColumns);
  const int64_t tiles = rows * batches * tiles_down * tiles_across;
  if (tiles == 0) return;
  launch_checked(matmul_kernel<kThreadRows>, grid_of(tiles), block_of(kSide, kSide), stream, op,
                 tiles, tiles_down, tiles_across, batches, a, b, y);
}

}  // namespace

void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y,
            cudaStream_t stream) {
  // Single rows are common (one token, one vector), and three quarters of a tile would be idle.
  if (op.m <= kSide) {
    launch_matmul<1>(op, rows, a, b, y, stream);
  } else {
    launch_matmul<4>(op, rows, a, b, y, stream);
  }
}

}  // namespace inferometer::cuda
