// CudaStream, what cuBLAS does: matrix products, and convolutions as products.
#include <algorithm>
#include <cstddef>

#include "backend/cuda/cuda_kernels.h"
#include "backend/cuda/cuda_stream.h"

namespace inferometer::cuda {
namespace {

// Columns of so many bytes are made at once, or of one row: rows beyond that wait their turn, and
// the memory does not grow with the batch.
constexpr int64_t kColumnBytes = int64_t{64} << 20;

int64_t bytes_per_row(const Conv2d& op) noexcept {
  return im2col_elements(op) * static_cast<int64_t>(sizeof(float));
}

int64_t rows_at_once(const Conv2d& op, int64_t rows) noexcept {
  return std::clamp<int64_t>(kColumnBytes / bytes_per_row(op), 1, rows);
}

bool needs_columns(const Conv2d& op) noexcept {
  return !suits_direct_conv2d(op) && !is_own_columns(op);
}

/// How far apart the matrices of one operand lie, if rows and batch dimensions together are one
/// sequence with a constant stride (0: one matrix for all).
bool is_sequence(const MatMul& op, const int64_t* strides, int64_t row_stride, int64_t& stride) {
  stride = row_stride;
  bool inner = false;  // a dimension within a row has been seen
  int64_t next = 0;    // what the next dimension outwards must have
  for (int dim = op.batch_rank - 1; dim >= 0; --dim) {
    if (op.batch_dims[dim] == 1) continue;
    if (!inner) stride = next = strides[dim];
    inner = true;
    if (strides[dim] != next) return false;
    next *= op.batch_dims[dim];
  }
  return !inner || row_stride == next;
}

}  // namespace

size_t column_bytes(const Conv2d& op, int64_t rows) noexcept {
  if (!needs_columns(op)) return 0;
  return static_cast<size_t>(bytes_per_row(op) * rows_at_once(op, rows));
}

void CudaStream::gemm(const Gemm& op, int64_t rows, const float* x, const std::byte* weights,
                      const float* bias, float* y) {
  const Context::Use use = context_->enter();
  const int64_t m = rows * op.rows_per_row;
  cublas_->multiply({.m = m, .n = op.n, .k = op.k, .transpose_w = op.transpose_w}, x,
                    reinterpret_cast<const float*>(weights), y);
  if (bias == nullptr && op.activation == Activation::kNone) return;
  bias_activation(m, op.n, bias, op.activation, y, stream_);
}

void CudaStream::matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) {
  const Context::Use use = context_->enter();
  int64_t a_stride = 0;
  int64_t b_stride = 0;
  if (!is_sequence(op, op.a_strides, op.a_row_stride, a_stride) ||
      !is_sequence(op, op.b_strides, op.b_row_stride, b_stride)) {
    cuda::matmul(op, rows, a, b, y, stream_);
    return;
  }
  int64_t count = rows;
  for (int dim = 0; dim < op.batch_rank; ++dim) count *= op.batch_dims[dim];
  cublas_->multiply(
      {.m = op.m, .n = op.n, .k = op.k},
      {.count = count, .x_stride = a_stride, .w_stride = b_stride, .y_stride = op.m * op.n}, a, b,
      y);
}

// Per row and group: y (group_out, pixels) = weights (group_out, depth) * columns (depth, pixels).
void CudaStream::multiply_columns(const Conv2d& op, int64_t rows, const float* columns,
                                  const float* weights, float* y) {
  const int64_t depth = im2col_depth(op);
  const int64_t pixels = im2col_pixels(op);
  const int64_t group_out = op.out_channels / op.groups;
  for (int64_t group = 0; group < op.groups; ++group) {
    cublas_->multiply({.m = group_out, .n = pixels, .k = depth},
                      {.count = rows,
                       .x_stride = 0,
                       .w_stride = op.groups * depth * pixels,
                       .y_stride = op.out_channels * pixels},
                      weights + group * group_out * depth, columns + group * depth * pixels,
                      y + group * group_out * pixels);
  }
}

void CudaStream::conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                        const float* bias, const float* residual, float* y, std::byte* workspace) {
  const Context::Use use = context_->enter();
  if (suits_direct_conv2d(op)) {
    direct_conv2d(op, rows, x, weights, bias, residual, y, stream_);
    return;
  }
  const int64_t pixels = im2col_pixels(op);
  if (is_own_columns(op)) {
    multiply_columns(op, rows, x, weights, y);
  } else {
    auto* const columns = reinterpret_cast<float*>(workspace);
    const int64_t step = rows_at_once(op, rows);
    for (int64_t first = 0; first < rows; first += step) {
      const int64_t last = std::min(first + step, rows);
      im2col(op, first, last, x, columns, stream_);
      multiply_columns(op, last - first, columns, weights, y + first * op.out_channels * pixels);
    }
  }
  if (bias == nullptr && residual == nullptr && op.activation == Activation::kNone) return;
  bias_residual_activation(rows, op.out_channels, pixels, bias, residual, op.activation, y,
                           stream_);
}

}  // namespace inferometer::cuda
