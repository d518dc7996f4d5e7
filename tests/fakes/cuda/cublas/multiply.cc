#include "multiply.h"

#include <algorithm>

namespace inferometer::emulation {
namespace {

constexpr size_t kColumns = 4;  // of c at a time: each element of a is read once for all of them
constexpr size_t kRows = 512;   // of c at a time: four columns of them stay in the first cache

/// kColumns columns of c, some rows of them.
void multiply_tile(size_t rows, size_t k, const float* a, size_t a_stride, const float* b,
                   float* __restrict__ c, size_t c_stride) {
  for (size_t p = 0; p < k; ++p) {
    const float* const column = a + p * a_stride;
    const float b0 = b[p];
    const float b1 = b[p + k];
    const float b2 = b[p + 2 * k];
    const float b3 = b[p + 3 * k];
    for (size_t i = 0; i < rows; ++i) {
      c[i] += column[i] * b0;
      c[i + c_stride] += column[i] * b1;
      c[i + 2 * c_stride] += column[i] * b2;
      c[i + 3 * c_stride] += column[i] * b3;
    }
  }
}

void multiply_column(size_t m, size_t k, const float* a, const float* b, float* __restrict__ c) {
  for (size_t p = 0; p < k; ++p) {
    for (size_t i = 0; i < m; ++i) c[i] += a[p * m + i] * b[p];
  }
}

}  // namespace

void multiply(size_t m, size_t n, size_t k, const float* a, const float* b, float* c) {
  size_t j = 0;
  for (; j + kColumns <= n; j += kColumns) {
    for (size_t i = 0; i < m; i += kRows) {
      multiply_tile(std::min(kRows, m - i), k, a + i, m, b + j * k, c + j * m + i, m);
    }
  }
  for (; j < n; ++j) multiply_column(m, k, a, b + j * k, c + j * m);
}

}  // namespace inferometer::emulation
