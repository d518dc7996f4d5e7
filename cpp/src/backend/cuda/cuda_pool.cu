// Pooling.
#include "backend/cuda/cuda_index.h"
#include "backend/cuda/cuda_kernels.h"

namespace inferometer::cuda {
namespace {

/// Taps of a window along one axis that fall on the padded plane.
__device__ inline int64_t taps_with_padding(const Taps& taps, int64_t dilation, int64_t kernel,
                                            int64_t pad_after, int64_t size) {
  const int64_t covered = (size + pad_after - taps.start + dilation - 1) / dilation;
  return covered < kernel ? covered : kernel;
}

/// A line is one plane of the output; a thread pools one window of each of its planes.
__global__ void __launch_bounds__(kBlockThreads)
    pool2d_kernel(Pool2d op, int64_t planes, const float* __restrict__ x, float* __restrict__ y) {
  const int64_t pixels = op.out_h * op.out_w;
#pragma unroll 1
  for (int64_t pixel = first_x(); pixel < pixels; pixel += step_x()) {
    const int64_t i = pixel / op.out_w;
    const Taps h = taps_on_plane(i, op.stride_h, op.dilation_h, op.kernel_h, op.pad_top, op.in_h);
    const Taps w = taps_on_plane(pixel - i * op.out_w, op.stride_w, op.dilation_w, op.kernel_w,
                                 op.pad_left, op.in_w);
    int64_t cells = (h.last - h.first) * (w.last - w.first);
    if (op.count_include_pad) {
      cells = taps_with_padding(h, op.dilation_h, op.kernel_h, op.pad_bottom, op.in_h) *
              taps_with_padding(w, op.dilation_w, op.kernel_w, op.pad_right, op.in_w);
    }
#pragma unroll 1
    for (int64_t plane = first_y(); plane < planes; plane += step_y()) {
      const float* from = x + plane * op.in_h * op.in_w;
      float best = kMinusInfinity;
      float sum = 0.0F;
      for (int64_t kh = h.first; kh < h.last; ++kh) {
        const float* line = from + (h.start + kh * op.dilation_h) * op.in_w + w.start;
        for (int64_t kw = w.first; kw < w.last; ++kw) {
          const float value = line[kw * op.dilation_w];
          sum += value;
          // Written so that NaN wins: it is neither greater nor smaller, and stays once it is best.
          best = best >= value ? best : (best != best ? best : value);
        }
      }
      y[plane * pixels + pixel] =
          op.kind == PoolKind::kMax ? best : sum / static_cast<float>(cells);
    }
  }
}

}  // namespace

void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y, cudaStream_t stream) {
  const int64_t planes = rows * op.channels;
  launch_over_lines(pool2d_kernel, planes, op.out_h * op.out_w, stream, op, planes, x, y);
}

}  // namespace inferometer::cuda
