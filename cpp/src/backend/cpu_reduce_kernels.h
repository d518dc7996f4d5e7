// Softmax and means. Part of cpu_kernels_isa.cc.
#pragma once

#include "backend/cpu_eigen.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

/// Elements side by side: vectorised along the axis.
static void softmax_line(int64_t length, const float* x, float* y) {
  const ConstArray in(x, length);
  Array out(y, length);
  out = (in - in.maxCoeff()).exp();
  out *= 1.0F / out.sum();
}

/// Elements `inner` apart: vectorised across the `inner` softmaxes, with y as working memory.
static void softmax_planes(int64_t length, int64_t inner, const float* x, float* y) {
  for (int64_t i = 0; i < inner; ++i) {
    float best = x[i];
    for (int64_t k = 1; k < length; ++k) {
      const float value = x[k * inner + i];
      best = best >= value ? best : value;
    }
    float sum = 0.0F;
    for (int64_t k = 0; k < length; ++k) {
      const float value = __builtin_expf(x[k * inner + i] - best);
      y[k * inner + i] = value;
      sum += value;
    }
    const float factor = 1.0F / sum;
    for (int64_t k = 0; k < length; ++k) y[k * inner + i] *= factor;
  }
}

static void softmax(const Softmax& op, int64_t rows, const float* x, float* y) {
  const int64_t group = op.length * op.inner;
  for (int64_t i = 0; i < rows * op.outer; ++i) {
    if (op.inner == 1) {
      softmax_line(op.length, x, y);
    } else {
      softmax_planes(op.length, op.inner, x, y);
    }
    x += group;
    y += group;
  }
}

/// The sum over the reduced axes from `axis` on.
static float reduced_sum(const ReduceMean& op, int axis, const float* x) {
  const int64_t length = op.reduced_dims[axis];
  const int64_t stride = op.reduced_strides[axis];
  if (axis == op.reduced_rank - 1 && stride == 1) return ConstArray(x, length).sum();
  float sum = 0.0F;
  for (int64_t i = 0; i < length; ++i) {
    sum += axis == op.reduced_rank - 1 ? x[i * stride] : reduced_sum(op, axis + 1, x + i * stride);
  }
  return sum;
}

static void reduce_mean(const ReduceMean& op, int64_t rows, const float* x, float* y) {
  int64_t count = 1;
  for (int i = 0; i < op.reduced_rank; ++i) count *= op.reduced_dims[i];
  const float factor = 1.0F / static_cast<float>(count);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t out = 0; out < op.y_row_stride; ++out) {
      const float* from = x + row * op.x_row_stride;
      int64_t rest = out;
      for (int i = op.kept_rank - 1; i >= 0; --i) {
        from += rest % op.kept_dims[i] * op.kept_strides[i];
        rest /= op.kept_dims[i];
      }
      *y++ = (op.reduced_rank == 0 ? *from : reduced_sum(op, 0, from)) * factor;
    }
  }
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
