// Matrix products. Part of cpu_kernels_isa.cc.
#pragma once

#include "backend/cpu_eigen.h"
#include "backend/cpu_tile.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

/// Weights lie in panels of kTileColumns columns, each panel row after row, the last one filled up
/// with zeros: a product reads them front to back.
static int64_t panels(const Gemm& op) { return (op.n + kTileColumns - 1) / kTileColumns; }

static size_t gemm_weights_bytes(const Gemm& op) {
  return sizeof(float) * static_cast<size_t>(panels(op) * op.k * kTileColumns);
}

static void load_gemm_weights(const Gemm& op, const float* from, float* to) {
  const int64_t step_k = op.transpose_w ? 1 : op.n;
  const int64_t step_n = op.transpose_w ? op.k : 1;
  for (int64_t first = 0; first < op.n; first += kTileColumns) {
    for (int64_t k = 0; k < op.k; ++k) {
      for (int64_t j = first; j < first + kTileColumns; ++j) {
        *to++ = j < op.n ? from[k * step_k + j * step_n] : 0.0F;
      }
    }
  }
}

static void gemm(const Gemm& op, int64_t rows, const float* x, const float* w, const float* bias,
                 float* y) {
  const int64_t m = rows * op.rows_per_row;
  for (int64_t first = 0; first < op.n; first += kTileColumns) {
    const float* panel = w + first * op.k;
    const int64_t columns = least(kTileColumns, op.n - first);
    for (int64_t i = 0; i < m; i += kTileRows) {
      float tile[kTileRows][kTileColumns];
      const int64_t count = least(kTileRows, m - i);
      select_tile(count, columns)(op.k, x + i * op.k, panel, kTileColumns, tile);
      for (int64_t r = 0; r < count; ++r) {
        float* to = y + (i + r) * op.n + first;
        for (int64_t j = 0; j < columns; ++j) {
          to[j] = tile[r][j] + (bias == nullptr ? 0.0F : bias[first + j]);
        }
        activate(op.activation, columns, to);
      }
    }
  }
}

static void matmul(const MatMul& op, int64_t rows, const float* a, const float* b, float* y) {
  int64_t batches = 1;
  for (int i = 0; i < op.batch_rank; ++i) batches *= op.batch_dims[i];
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t batch = 0; batch < batches; ++batch) {
      const float* lhs = a + row * op.a_row_stride;
      const float* rhs = b + row * op.b_row_stride;
      int64_t rest = batch;
      for (int i = op.batch_rank - 1; i >= 0; --i) {
        const int64_t index = rest % op.batch_dims[i];
        rest /= op.batch_dims[i];
        lhs += index * op.a_strides[i];
        rhs += index * op.b_strides[i];
      }
      Matrix(y, op.m, op.n).noalias() = ConstMatrix(lhs, op.m, op.k) * ConstMatrix(rhs, op.k, op.n);
      y += op.m * op.n;
    }
  }
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
