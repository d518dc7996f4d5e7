// Operations that treat elements one by one. Part of cpu_kernels_isa.cc.
#pragma once

#include "backend/cpu_eigen.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

static void relu(int64_t elements, const float* x, float* y) {
  for (int64_t i = 0; i < elements; ++i) y[i] = relu_of(x[i]);
}

/// One innermost line. Strides are 0 or anything; those that matter get a loop that vectorises.
static void add_line(int64_t length, const float* a, int64_t a_step, const float* b, int64_t b_step,
                     float* y) {
  if (a_step == 1 && b_step == 1) {
    for (int64_t i = 0; i < length; ++i) y[i] = a[i] + b[i];
  } else if (a_step == 1 && b_step == 0) {
    const float value = *b;
    for (int64_t i = 0; i < length; ++i) y[i] = a[i] + value;
  } else {
    for (int64_t i = 0; i < length; ++i) y[i] = a[i * a_step] + b[i * b_step];
  }
}

static void add(const BroadcastAdd& op, int64_t rows, const float* a, const float* b, float* y) {
  const int last = op.rank - 1;
  const int64_t length = op.rank > 0 ? op.dims[last] : 1;
  const int64_t a_step = op.rank > 0 ? op.a_strides[last] : 1;
  const int64_t b_step = op.rank > 0 ? op.b_strides[last] : 1;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t index[kMaxLoops] = {};
    const float* a_line = a + row * op.a_row_stride;
    const float* b_line = b + row * op.b_row_stride;
    float* y_row = y + row * op.y_row_stride;
    for (int64_t done = 0; done < op.y_row_stride; done += length) {
      add_line(length, a_line, a_step, b_line, b_step, y_row + done);
      // To the next line: count up like a mileage meter.
      for (int axis = last - 1; axis >= 0; --axis) {
        a_line += op.a_strides[axis];
        b_line += op.b_strides[axis];
        if (++index[axis] < op.dims[axis]) break;
        a_line -= op.a_strides[axis] * op.dims[axis];
        b_line -= op.b_strides[axis] * op.dims[axis];
        index[axis] = 0;
      }
    }
    activate(op.activation, op.y_row_stride, y_row);
  }
}

static void channel_affine(const ChannelAffine& op, int64_t rows, const float* x,
                           const float* scale, const float* shift, float* y) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t c = 0; c < op.channels; ++c) {
      const float factor = scale[c];
      const float offset = shift[c];
      for (int64_t i = 0; i < op.inner; ++i) y[i] = x[i] * factor + offset;
      activate(op.activation, op.inner, y);
      x += op.inner;
      y += op.inner;
    }
  }
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
