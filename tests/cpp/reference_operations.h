// What backend operations mean, written down as plainly as possible: loops in double precision. The
// conformance tests compare every backend with these.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "backend/operations.h"

namespace inferometer::reference {

using Floats = std::vector<float>;

inline double at(const Floats& values, int64_t index) {
  return values.at(static_cast<size_t>(index));
}

inline double activated(Activation activation, double value) {
  return activation == Activation::kRelu && value < 0 ? 0 : value;
}

inline Floats conv2d(const Conv2d& op, int64_t rows, const Floats& x, const Floats& weights,
                     const Floats& bias, const Floats& residual) {
  Floats y;
  const int64_t group_in = op.in_channels / op.groups;
  const int64_t group_out = op.out_channels / op.groups;
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t o = 0; o < op.out_channels; ++o) {
      for (int64_t i = 0; i < op.out_h; ++i) {
        for (int64_t j = 0; j < op.out_w; ++j) {
          double sum = bias.empty() ? 0 : at(bias, o);
          for (int64_t c = 0; c < group_in; ++c) {
            const int64_t channel = o / group_out * group_in + c;
            for (int64_t kh = 0; kh < op.kernel_h; ++kh) {
              for (int64_t kw = 0; kw < op.kernel_w; ++kw) {
                const int64_t h = i * op.stride_h - op.pad_top + kh * op.dilation_h;
                const int64_t w = j * op.stride_w - op.pad_left + kw * op.dilation_w;
                if (h < 0 || h >= op.in_h || w < 0 || w >= op.in_w) continue;
                sum += at(x, ((n * op.in_channels + channel) * op.in_h + h) * op.in_w + w) *
                       at(weights, ((o * group_in + c) * op.kernel_h + kh) * op.kernel_w + kw);
              }
            }
          }
          if (!residual.empty()) sum += at(residual, static_cast<int64_t>(y.size()));
          y.push_back(static_cast<float>(activated(op.activation, sum)));
        }
      }
    }
  }
  return y;
}

inline Floats pool2d(const Pool2d& op, int64_t rows, const Floats& x) {
  Floats y;
  for (int64_t plane = 0; plane < rows * op.channels; ++plane) {
    for (int64_t i = 0; i < op.out_h; ++i) {
      for (int64_t j = 0; j < op.out_w; ++j) {
        double best = -std::numeric_limits<double>::infinity();
        double sum = 0;
        int64_t inside = 0;
        int64_t padded = 0;
        for (int64_t kh = 0; kh < op.kernel_h; ++kh) {
          for (int64_t kw = 0; kw < op.kernel_w; ++kw) {
            const int64_t h = i * op.stride_h - op.pad_top + kh * op.dilation_h;
            const int64_t w = j * op.stride_w - op.pad_left + kw * op.dilation_w;
            if (h < op.in_h + op.pad_bottom && w < op.in_w + op.pad_right) ++padded;
            if (h < 0 || h >= op.in_h || w < 0 || w >= op.in_w) continue;
            const double value = at(x, (plane * op.in_h + h) * op.in_w + w);
            ++inside;
            sum += value;
            if (std::isnan(value) || value > best) best = value;
            if (std::isnan(best)) best = std::numeric_limits<double>::quiet_NaN();
          }
        }
        const auto cells = static_cast<double>(op.count_include_pad ? padded : inside);
        y.push_back(static_cast<float>(op.kind == PoolKind::kMax ? best : sum / cells));
      }
    }
  }
  return y;
}

inline Floats gemm(const Gemm& op, int64_t rows, const Floats& x, const Floats& w,
                   const Floats& bias) {
  Floats y;
  for (int64_t i = 0; i < rows * op.rows_per_row; ++i) {
    for (int64_t j = 0; j < op.n; ++j) {
      double sum = bias.empty() ? 0 : at(bias, j);
      for (int64_t k = 0; k < op.k; ++k) {
        sum += at(x, i * op.k + k) * at(w, op.transpose_w ? j * op.k + k : k * op.n + j);
      }
      y.push_back(static_cast<float>(activated(op.activation, sum)));
    }
  }
  return y;
}

/// The element offset of position `index` (counted in row-major order over `dims`).
inline int64_t offset_of(int64_t index, int rank, const int64_t* dims, const int64_t* strides) {
  int64_t offset = 0;
  for (int axis = rank - 1; axis >= 0; --axis) {
    offset += index % dims[axis] * strides[axis];
    index /= dims[axis];
  }
  return offset;
}

inline int64_t product(int rank, const int64_t* dims) {
  int64_t result = 1;
  for (int i = 0; i < rank; ++i) result *= dims[i];
  return result;
}

inline Floats matmul(const MatMul& op, int64_t rows, const Floats& a, const Floats& b) {
  Floats y;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t batch = 0; batch < product(op.batch_rank, op.batch_dims); ++batch) {
      const int64_t a_start =
          row * op.a_row_stride + offset_of(batch, op.batch_rank, op.batch_dims, op.a_strides);
      const int64_t b_start =
          row * op.b_row_stride + offset_of(batch, op.batch_rank, op.batch_dims, op.b_strides);
      for (int64_t i = 0; i < op.m; ++i) {
        for (int64_t j = 0; j < op.n; ++j) {
          double sum = 0;
          for (int64_t k = 0; k < op.k; ++k) {
            sum += at(a, a_start + i * op.k + k) * at(b, b_start + k * op.n + j);
          }
          y.push_back(static_cast<float>(sum));
        }
      }
    }
  }
  return y;
}

inline Floats add(const BroadcastAdd& op, int64_t rows, const Floats& a, const Floats& b) {
  Floats y;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < op.y_row_stride; ++i) {
      const double sum =
          at(a, row * op.a_row_stride + offset_of(i, op.rank, op.dims, op.a_strides)) +
          at(b, row * op.b_row_stride + offset_of(i, op.rank, op.dims, op.b_strides));
      y.push_back(static_cast<float>(activated(op.activation, sum)));
    }
  }
  return y;
}

inline Floats softmax(const Softmax& op, int64_t rows, const Floats& x) {
  Floats y(x.size());
  for (int64_t outer = 0; outer < rows * op.outer; ++outer) {
    for (int64_t inner = 0; inner < op.inner; ++inner) {
      const auto index = [&](int64_t k) { return (outer * op.length + k) * op.inner + inner; };
      double best = -std::numeric_limits<double>::infinity();
      double sum = 0;
      for (int64_t k = 0; k < op.length; ++k) best = std::max(best, at(x, index(k)));
      for (int64_t k = 0; k < op.length; ++k) sum += std::exp(at(x, index(k)) - best);
      for (int64_t k = 0; k < op.length; ++k) {
        y[static_cast<size_t>(index(k))] =
            static_cast<float>(std::exp(at(x, index(k)) - best) / sum);
      }
    }
  }
  return y;
}

inline Floats reduce_mean(const ReduceMean& op, int64_t rows, const Floats& x) {
  Floats y;
  const int64_t count = product(op.reduced_rank, op.reduced_dims);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < op.y_row_stride; ++i) {
      const int64_t start =
          row * op.x_row_stride + offset_of(i, op.kept_rank, op.kept_dims, op.kept_strides);
      double sum = 0;
      for (int64_t k = 0; k < count; ++k) {
        sum += at(x, start + offset_of(k, op.reduced_rank, op.reduced_dims, op.reduced_strides));
      }
      y.push_back(static_cast<float>(sum / static_cast<double>(count)));
    }
  }
  return y;
}

inline Floats channel_affine(const ChannelAffine& op, int64_t rows, const Floats& x,
                             const Floats& scale, const Floats& shift) {
  Floats y;
  for (int64_t i = 0; i < rows * op.channels * op.inner; ++i) {
    const int64_t channel = i / op.inner % op.channels;
    y.push_back(static_cast<float>(
        activated(op.activation, at(x, i) * at(scale, channel) + at(shift, channel))));
  }
  return y;
}

}  // namespace inferometer::reference
