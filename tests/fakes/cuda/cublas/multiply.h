// The product of two matrices that are all there: what a matrix product spends its time in.
#pragma once

#include <cstddef>

namespace inferometer::emulation {

/// c += a * b; a is m x k, b k x n and c m x n, each column-major without gaps.
void multiply(size_t m, size_t n, size_t k, const float* a, const float* b, float* c);

}  // namespace inferometer::emulation
