// What the maths operations of a backend are told: plain numbers, checked by the model layer once
// when a model is compiled. Device code takes them as they are and checks nothing.
//
// Plain C arrays on purpose: these structs are read by translation units compiled for different
// instruction sets, which must not share inline library code (see cpu_kernels.h).
#pragma once

#include <cstdint>

namespace inferometer {

/// Dimensions that a strided operation can have, rows included.
inline constexpr int kMaxLoops = 8;

enum class Activation : uint8_t { kNone, kRelu };

/// y = activation(conv(x, weights) + bias + residual); NCHW, weights (out_channels,
/// in_channels / groups, kernel_h, kernel_w). One dimension of space is height 1.
struct Conv2d {
  int64_t in_channels, in_h, in_w;
  int64_t out_channels, out_h, out_w;
  int64_t kernel_h, kernel_w;
  int64_t stride_h, stride_w;
  int64_t dilation_h, dilation_w;
  int64_t pad_top, pad_left;
  int64_t groups;
  Activation activation;
};

enum class PoolKind : uint8_t { kMax, kAverage };

/// Pools each of `channels` planes of a row.
struct Pool2d {
  PoolKind kind;
  int64_t channels, in_h, in_w, out_h, out_w;
  int64_t kernel_h, kernel_w;
  int64_t stride_h, stride_w;
  int64_t dilation_h, dilation_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  /// Averages divide by the cells of the window inside the padded plane, else inside the plane.
  bool count_include_pad;
};

/// y (m, n) = activation(x (m, k) * w + bias (n)), w (k, n), or (n, k) if transposed; m is
/// rows * rows_per_row. Devices keep w in an order of their own (Backend::load_gemm_weights).
struct Gemm {
  int64_t rows_per_row;
  int64_t k, n;
  bool transpose_w;
  Activation activation;
};

/// Per row and batch index: c (m, n) = a (m, k) * b (k, n), all dense. Strides count elements and
/// are 0 where an operand is broadcast; a row stride of 0 is a constant operand.
struct MatMul {
  int64_t m, k, n;
  int batch_rank;
  int64_t batch_dims[kMaxLoops] = {};
  int64_t a_strides[kMaxLoops] = {}, b_strides[kMaxLoops] = {};
  int64_t a_row_stride, b_row_stride;
};

/// y = activation(a + b) over `dims` of a row; y is dense. Strides as in MatMul.
struct BroadcastAdd {
  int rank;
  int64_t dims[kMaxLoops] = {};
  int64_t a_strides[kMaxLoops] = {}, b_strides[kMaxLoops] = {};
  int64_t a_row_stride, b_row_stride, y_row_stride;
  Activation activation;
};

/// Over `length` elements, `inner` apart; `outer` such groups of length * inner in a row.
struct Softmax {
  int64_t outer, length, inner;
};

/// y[kept...] = mean over reduced... of x, strides of x in elements.
struct ReduceMean {
  int kept_rank;
  int64_t kept_dims[kMaxLoops] = {}, kept_strides[kMaxLoops] = {};
  int reduced_rank;
  int64_t reduced_dims[kMaxLoops] = {}, reduced_strides[kMaxLoops] = {};
  int64_t x_row_stride = 0, y_row_stride = 0;
};

/// y = activation(x * scale[c] + shift[c]) over (channels, inner) of a row.
struct ChannelAffine {
  int64_t channels, inner;
  Activation activation;
};

}  // namespace inferometer
