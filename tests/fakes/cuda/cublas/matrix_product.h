// A matrix product as cuBLAS is asked for it.
#pragma once

#include <cstddef>
#include <string>

#include "backend/cuda/cublas_abi.h"
#include "emulator.h"

namespace inferometer::emulation {

/// A column-major matrix on a device, and where the next one of a batch is. Plain data.
struct Matrix {
  const float* data;
  int leading;  // elements from one column to the next
  long long stride;
};

/// c = alpha * op(a) * op(b) + beta * c, for each of a batch. Plain data, copied when it is queued.
struct MatrixProduct {
  cublas::Operation op_a;
  cublas::Operation op_b;
  int m;
  int n;
  int k;
  float alpha;
  Matrix a;
  Matrix b;
  float beta;
  Matrix c;
  int batch;
  bool tf32;

  /// What is wrong with sizes and distances, empty if nothing.
  [[nodiscard]] std::string mistake() const;
  [[nodiscard]] bool is_empty() const { return m == 0 || n == 0 || batch == 0; }
  /// To be called as a device operation. Stops at a matrix that is not on the device.
  void run(Emulator& emulator, int device) const;

 private:
  [[nodiscard]] bool reads_factors() const { return k > 0 && alpha != 0.0F; }
  /// Rows and columns of a and b as they lie in memory.
  [[nodiscard]] int stored_rows_a() const { return op_a == cublas::kAsIs ? m : k; }
  [[nodiscard]] int stored_columns_a() const { return op_a == cublas::kAsIs ? k : m; }
  [[nodiscard]] int stored_rows_b() const { return op_b == cublas::kAsIs ? k : n; }
  [[nodiscard]] int stored_columns_b() const { return op_b == cublas::kAsIs ? n : k; }
  [[nodiscard]] bool are_on_device(Emulator& emulator, int device, int index) const;
};

}  // namespace inferometer::emulation
