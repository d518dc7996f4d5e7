// Convolution: columns for cuBLAS, and the operation itself for groups of few channels.
#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"

namespace inferometer::cuda {
namespace {

/// A line is all pixels for one row, input channel and position in the kernel: one row of a column
/// matrix. A thread writes one pixel of each of its lines; neighbours write side by side and read
/// stride_w apart.
__global__ void __launch_bounds__(kBlockThreads)
    im2col_kernel(Conv2d op, int64_t lines, const float* __restrict__ x,
                  float* __restrict__ columns) {
  const int64_t pixels = op.out_h * op.out_w;
#pragma unroll 1
  for (int64_t pixel = first_x(); pixel < pixels; pixel += step_x()) {
    const int64_t i = pixel / op.out_w;
    const int64_t top = i * op.stride_h - op.pad_top;
    const int64_t left = (pixel - i * op.out_w) * op.stride_w - op.pad_left;
#pragma unroll 1
    for (int64_t line = first_y(); line < lines; line += step_y()) {
      const int64_t tap_line = line / op.kernel_w;
      const int64_t plane = tap_line / op.kernel_h;
      const int64_t h = top + (tap_line - plane * op.kernel_h) * op.dilation_h;
      const int64_t w = left + (line - tap_line * op.kernel_w) * op.dilation_w;
      const bool inside = h >= 0 && h < op.in_h && w >= 0 && w < op.in_w;
      columns[line * pixels + pixel] = inside ? x[(plane * op.in_h + h) * op.in_w + w] : 0.0F;
    }
  }
}

/// A line is one plane of the output. A thread computes one pixel of each of its planes, all alone;
/// the threads of a plane read the same weights at the same time, and neighbouring inputs.
__global__ void __launch_bounds__(kBlockThreads)
    direct_conv2d_kernel(Conv2d op, int64_t planes, const float* __restrict__ x,
                         const float* __restrict__ weights, const float* __restrict__ bias,
                         const float* __restrict__ residual, float* __restrict__ y) {
  const int64_t pixels = op.out_h * op.out_w;
  const int64_t group_in = op.in_channels / op.groups;
  const int64_t group_out = op.out_channels / op.groups;
#pragma unroll 1
  for (int64_t pixel = first_x(); pixel < pixels; pixel += step_x()) {
    const int64_t i = pixel / op.out_w;
    const Taps h = taps_on_plane(i, op.stride_h, op.dilation_h, op.kernel_h, op.pad_top, op.in_h);
    const Taps w = taps_on_plane(pixel - i * op.out_w, op.stride_w, op.dilation_w, op.kernel_w,
                                 op.pad_left, op.in_w);
#pragma unroll 1
    for (int64_t plane = first_y(); plane < planes; plane += step_y()) {
      const int64_t row = plane / op.out_channels;
      const int64_t channel = plane - row * op.out_channels;
      const float* from =
          x + (row * op.in_channels + channel / group_out * group_in) * op.in_h * op.in_w;
      const float* factors = weights + channel * group_in * op.kernel_h * op.kernel_w;
      float sum = 0.0F;
      for (int64_t c = 0; c < group_in; ++c) {
        for (int64_t kh = h.first; kh < h.last; ++kh) {
          const float* line = from + (h.start + kh * op.dilation_h) * op.in_w + w.start;
          for (int64_t kw = w.first; kw < w.last; ++kw) {
            sum += line[kw * op.dilation_w] * factors[kh * op.kernel_w + kw];
          }
        }
        from += op.in_h * op.in_w;
        factors += op.kernel_h * op.kernel_w;
      }
      if (bias != nullptr) sum += bias[channel];
      if (residual != nullptr) sum += residual[plane * pixels + pixel];
      y[plane * pixels + pixel] = activated(op.activation, sum);
    }
  }
}

}  // namespace

bool is_own_columns(const Conv2d& op) noexcept {
  return op.kernel_h == 1 && op.kernel_w == 1 && op.stride_h == 1 && op.stride_w == 1 &&
         op.pad_top == 0 && op.pad_left == 0 && op.out_h == op.in_h && op.out_w == op.in_w;
}

bool suits_direct_conv2d(const Conv2d& op) noexcept {
  // Columns are kernel_h * kernel_w times the input. A product of a few rows reads them as few
  // times, and cuBLAS has no tiles of less than 32 rows. The bound is a judgement: not measured.
  return op.groups > 1 && op.out_channels / op.groups < 8;
}

void im2col(const Conv2d& op, int64_t first_row, int64_t last_row, const float* x, float* columns,
            cudaStream_t stream) {
  const int64_t lines = (last_row - first_row) * op.in_channels * op.kernel_h * op.kernel_w;
  launch_over_lines(im2col_kernel, lines, im2col_pixels(op), stream, op, lines,
                    x + first_row * op.in_channels * op.in_h * op.in_w, columns);
}

void direct_conv2d(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                   const float* bias, const float* residual, float* y, cudaStream_t stream) {
  const int64_t planes = rows * op.out_channels;
  launch_over_lines(direct_conv2d_kernel, planes, im2col_pixels(op), stream, op, planes, x, weights,
                    bias, residual, y);
}

}  // namespace inferometer::cuda
