// What the CUDA backend computes with kernels of its own; cuBLAS has the products of matrices.
//
// Every function enqueues work on `stream` and returns. All pointers are device pointers, aligned
// to the element size; outputs overlap nothing but where "in place" is said. Sizes may exceed 2^31.
// A launch that fails throws DeviceError; there are no other errors to report. Const-safe.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "backend/operations.h"

namespace inferometer::cuda {

// --- convolution (cuda_conv.cu) -----------------------------------------------------------------

/// Rows and columns of the matrix that im2col() makes of one row and one group.
[[nodiscard]] inline int64_t im2col_depth(const Conv2d& op) noexcept {
  return op.in_channels / op.groups * op.kernel_h * op.kernel_w;
}
[[nodiscard]] inline int64_t im2col_pixels(const Conv2d& op) noexcept {
  return op.out_h * op.out_w;
}
/// Elements that im2col() writes for one row.
[[nodiscard]] inline int64_t im2col_elements(const Conv2d& op) noexcept {
  return op.groups * im2col_depth(op) * im2col_pixels(op);
}

/// True if the input is its own column matrix: 1x1, not strided, not padded.
[[nodiscard]] bool is_own_columns(const Conv2d& op) noexcept;

/// True if direct_conv2d() suits the operation better than im2col() and a product for each group,
/// which has few output channels then. Depthwise convolution is the extreme.
[[nodiscard]] bool suits_direct_conv2d(const Conv2d& op) noexcept;

/// Of rows [first_row, last_row) of x (rows, in_channels, in_h, in_w) the columns
/// (rows, groups, depth, pixels), row-major, the first row's at `columns`. A group's weights
/// (group_out, depth) times its columns (depth, pixels) are its part of y (group_out, pixels).
void im2col(const Conv2d& op, int64_t first_row, int64_t last_row, const float* x, float* columns,
            cudaStream_t stream);

/// The whole operation without columns. Null bias or residual: absent.
void direct_conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                   const float* bias, const float* residual, float* y, cudaStream_t stream);

// --- pooling (cuda_pool.cu) ---------------------------------------------------------------------

void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y, cudaStream_t stream);

// --- matrix products (cuda_matmul.cu) -----------------------------------------------------------

void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y,
            cudaStream_t stream);

// --- elements one by one (cuda_elementwise.cu) --------------------------------------------------

/// In place: y = activation(y + bias[c] + residual) over (rows, channels, inner); what follows the
/// product of a convolution. Null bias or residual: absent.
void bias_residual_activation(int64_t rows, int64_t channels, int64_t inner, const float* bias,
                              const float* residual, Activation activation, float* y,
                              cudaStream_t stream);

/// In place: y = activation(y + bias[j]) over (m, n); what follows a product. Null bias: absent.
void bias_activation(int64_t m, int64_t n, const float* bias, Activation activation, float* y,
                     cudaStream_t stream);

void broadcast_add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b, float* y,
                   cudaStream_t stream);

void relu(int64_t elements, const float* x, float* y, cudaStream_t stream);

void channel_affine(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                    const float* shift, float* y, cudaStream_t stream);

// --- sums along an axis (cuda_softmax.cu, cuda_reduce.cu) ---------------------------------------

void softmax(const Softmax& op, int64_t rows, const float* x, float* y, cudaStream_t stream);

void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y, cudaStream_t stream);

}  // namespace inferometer::cuda
