// Operations that treat elements one by one. Memory is what limits them: each element is read and
// written once, by threads side by side, and nothing is divided for an element.
#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"

namespace inferometer::cuda {
namespace {

/// A line is one plane: (row, channel). A thread has one element of each of its planes.
__global__ void __launch_bounds__(kBlockThreads)
    bias_residual_activation_kernel(int64_t planes, int64_t channels, int64_t inner,
                                    const float* __restrict__ bias,
                                    const float* __restrict__ residual, Activation activation,
                                    float* __restrict__ y) {
#pragma unroll 1
  for (int64_t plane = first_y(); plane < planes; plane += step_y()) {
    const float offset = bias == nullptr ? 0.0F : bias[plane % channels];
#pragma unroll 1
    for (int64_t i = first_x(); i < inner; i += step_x()) {
      const int64_t at = plane * inner + i;
      float value = y[at] + offset;
      if (residual != nullptr) value += residual[at];
      y[at] = activated(activation, value);
    }
  }
}

/// A line is one row of the matrix. A thread has one element of each of its rows.
__global__ void __launch_bounds__(kBlockThreads)
    bias_activation_kernel(int64_t m, int64_t n, const float* __restrict__ bias,
                           Activation activation, float* __restrict__ y) {
#pragma unroll 1
  for (int64_t j = first_x(); j < n; j += step_x()) {
    const float offset = bias == nullptr ? 0.0F : bias[j];
#pragma unroll 1
    for (int64_t i = first_y(); i < m; i += step_y()) {
      y[i * n + j] = activated(activation, y[i * n + j] + offset);
    }
  }
}

/// A line goes along the innermost dimension. A thread has one element of each of its lines; only
/// the line's place is found by division.
__global__ void __launch_bounds__(kBlockThreads)
    broadcast_add_kernel(BroadcastAdd op, int64_t lines, int64_t lines_per_row, int64_t length,
                         int64_t a_step, int64_t b_step, const float* __restrict__ a,
                         const float* __restrict__ b, float* __restrict__ y) {
#pragma unroll 1
  for (int64_t line = first_y(); line < lines; line += step_y()) {
    const int64_t row = line / lines_per_row;
    const int64_t outer = line - row * lines_per_row;
    const float* a_line =
        a + row * op.a_row_stride + strided_offset(outer, op.rank - 1, op.dims, op.a_strides);
    const float* b_line =
        b + row * op.b_row_stride + strided_offset(outer, op.rank - 1, op.dims, op.b_strides);
#pragma unroll 1
    for (int64_t i = first_x(); i < length; i += step_x()) {
      y[line * length + i] = activated(op.activation, a_line[i * a_step] + b_line[i * b_step]);
    }
  }
}

/// One thread an element.
__global__ void __launch_bounds__(kBlockThreads)
    relu_kernel(int64_t elements, const float* __restrict__ x, float* __restrict__ y) {
#pragma unroll 1
  for (int64_t i = first_x(); i < elements; i += step_x()) {
    y[i] = activated(Activation::kRelu, x[i]);
  }
}

/// A line is one plane: (row, channel). A thread has one element of each of its planes.
__global__ void __launch_bounds__(kBlockThreads)
    channel_affine_kernel(ChannelAffine op, int64_t planes, const float* __restrict__ x,
                          const float* __restrict__ scale, const float* __restrict__ shift,
                          float* __restrict__ y) {
#pragma unroll 1
  for (int64_t plane = first_y(); plane < planes; plane += step_y()) {
    const int64_t channel = plane % op.channels;
    const float factor = scale[channel];
    const float offset = shift[channel];
#pragma unroll 1
    for (int64_t i = first_x(); i < op.inner; i += step_x()) {
      const int64_t at = plane * op.inner + i;
      y[at] = activated(op.activation, x[at] * factor + offset);
    }
  }
}

}  // namespace

void bias_residual_activation(int64_t rows, int64_t channels, int64_t inner, const float* bias,
                              const float* residual, Activation activation, float* y,
                              cudaStream_t stream) {
  if (bias == nullptr && residual == nullptr && activation == Activation::kNone) return;
  launch_over_lines(bias_residual_activation_kernel, rows * channels, inner, stream,
                    rows * channels, channels, inner, bias, residual, activation, y);
}

void bias_activation(int64_t m, int64_t n, const float* bias, Activation activation, float* y,
                     cudaStream_t stream) {
  if (bias == nullptr && activation == Activation::kNone) return;
  launch_over_lines(bias_activation_kernel, m, n, stream, m, n, bias, activation, y);
}

void broadcast_add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b, float* y,
                   cudaStream_t stream) {
  const int last = op.rank - 1;
  const int64_t length = op.rank > 0 ? op.dims[last] : 1;
  if (length == 0) return;
  const int64_t lines_per_row = op.y_row_stride / length;
  launch_over_lines(broadcast_add_kernel, rows * lines_per_row, length, stream, op,
                    rows * lines_per_row, lines_per_row, length,
                    op.rank > 0 ? op.a_strides[last] : 0, op.rank > 0 ? op.b_strides[last] : 0, a,
                    b, y);
}

void relu(int64_t elements, const float* x, float* y, cudaStream_t stream) {
  launch_over_lines(relu_kernel, 1, elements, stream, elements, x, y);
}

void channel_affine(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                    const float* shift, float* y, cudaStream_t stream) {
  launch_over_lines(channel_affine_kernel, rows * op.channels, op.inner, stream, op,
                    rows * op.channels, x, scale, shift, y);
}

}  // namespace inferometer::cuda
