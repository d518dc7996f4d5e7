// Pooling. Part of cpu_kernels_isa.cc.
#pragma once

#include "backend/cpu_eigen.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

/// The cells of one window along one axis: taps [first, last) fall on the plane, `covered` of them
/// on the padded plane.
struct PoolWindow {
  int64_t start, first, last, covered;
};

static PoolWindow pool_window(int64_t out, int64_t stride, int64_t dilation, int64_t kernel,
                              int64_t pad_before, int64_t pad_after, int64_t size) {
  PoolWindow w;
  w.start = out * stride - pad_before;
  w.first = w.start >= 0 ? 0 : (-w.start + dilation - 1) / dilation;
  const int64_t inside = size - w.start;  // distance from the start to the end of the plane
  w.last = inside <= 0 ? 0 : (inside + dilation - 1) / dilation;
  if (w.last > kernel) w.last = kernel;
  if (w.first > w.last) w.first = w.last;
  w.covered = (inside + pad_after + dilation - 1) / dilation;
  if (w.covered > kernel) w.covered = kernel;
  return w;
}

static float pool_cell(const Pool2d& op, const PoolWindow& h, const PoolWindow& w,
                       const float* plane) {
  float best = -__builtin_inff();
  float sum = 0.0F;
  for (int64_t kh = h.first; kh < h.last; ++kh) {
    const float* line = plane + (h.start + kh * op.dilation_h) * op.in_w + w.start;
    for (int64_t kw = w.first; kw < w.last; ++kw) {
      const float value = line[kw * op.dilation_w];
      sum += value;
      // Written so that NaN wins: it is neither greater nor smaller, and stays once it is best.
      best = best >= value ? best : (best != best ? best : value);
    }
  }
  if (op.kind == PoolKind::kMax) return best;
  const int64_t cells =
      op.count_include_pad ? h.covered * w.covered : (h.last - h.first) * (w.last - w.first);
  return sum / static_cast<float>(cells);
}

static void pool2d(const Pool2d& op, int64_t rows, const float* x, float* y) {
  for (int64_t plane = 0; plane < rows * op.channels; ++plane) {
    for (int64_t i = 0; i < op.out_h; ++i) {
      const PoolWindow h = pool_window(i, op.stride_h, op.dilation_h, op.kernel_h, op.pad_top,
                                       op.pad_bottom, op.in_h);
      for (int64_t j = 0; j < op.out_w; ++j) {
        const PoolWindow w = pool_window(j, op.stride_w, op.dilation_w, op.kernel_w, op.pad_left,
                                         op.pad_right, op.in_w);
        *y++ = pool_cell(op, h, w, x);
      }
    }
    x += op.in_h * op.in_w;
  }
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
