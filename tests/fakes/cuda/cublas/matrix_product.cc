#include "matrix_product.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "multiply.h"

namespace inferometer::emulation {
namespace {

size_t size_of(int number) { return static_cast<size_t>(number); }

const float* in_batch(const Matrix& matrix, int index) {
  return matrix.data + matrix.stride * index;
}

/// Elements from the first to the last of a matrix with so many rows and columns.
size_t extent(const Matrix& matrix, int rows, int columns) {
  return size_of(matrix.leading) * size_of(columns - 1) + size_of(rows);
}

/// The nearest number with ten bits of mantissa, as tensor cores take them.
float tf32_of(float value) {
  constexpr uint32_t kDropped = 13;
  constexpr uint32_t kExponent = 0x7F800000U;
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & kExponent) == kExponent) return value;
  const uint32_t half = (1U << (kDropped - 1)) - 1 + ((bits >> kDropped) & 1U);
  return std::bit_cast<float>((bits + half) & ~((1U << kDropped) - 1));
}

/// op(matrix), rows x columns, without gaps.
std::vector<float> packed(const Matrix& matrix, int index, cublas::Operation op, int rows,
                          int columns, bool tf32) {
  const float* const data = in_batch(matrix, index);
  const size_t leading = size_of(matrix.leading);
  std::vector<float> values(size_of(rows) * size_of(columns));
  size_t next = 0;
  for (size_t j = 0; j < size_of(columns); ++j) {
    for (size_t i = 0; i < size_of(rows); ++i) {
      const float value = op == cublas::kAsIs ? data[j * leading + i] : data[i * leading + j];
      values[next++] = tf32 ? tf32_of(value) : value;
    }
  }
  return values;
}

}  // namespace

std::string MatrixProduct::mistake() const {
  const auto is_operation = [](cublas::Operation op) {
    return op == cublas::kAsIs || op == cublas::kTransposed || op == cublas::kConjugateTransposed;
  };
  if (!is_operation(op_a) || !is_operation(op_b)) return "no such operation";
  if (m < 0 || n < 0 || k < 0 || batch < 0) return "a size is negative";
  if (a.leading < std::max(1, stored_rows_a())) return "the columns of a overlap";
  if (b.leading < std::max(1, stored_rows_b())) return "the columns of b overlap";
  if (c.leading < std::max(1, m)) return "the columns of c overlap";
  if (is_empty()) return "";
  if (c.data == nullptr) return "c is null";
  if (reads_factors() && (a.data == nullptr || b.data == nullptr)) return "a or b is null";
  if (batch > 1 && size_t(std::llabs(c.stride)) < extent(c, m, n)) return "the results overlap";
  return "";
}

bool MatrixProduct::are_on_device(Emulator& emulator, int device, int index) const {
  const auto is_there = [&](const Matrix& matrix, int rows, int columns, const char* what) {
    return emulator.check_device_memory(
        device, {in_batch(matrix, index), extent(matrix, rows, columns) * sizeof(float)}, what);
  };
  return is_there(c, m, n, "c of a matrix product") &&
         (!reads_factors() ||
          (is_there(a, stored_rows_a(), stored_columns_a(), "a of a matrix product") &&
           is_there(b, stored_rows_b(), stored_columns_b(), "b of a matrix product")));
}

void MatrixProduct::run(Emulator& emulator, int device) const {
  for (int index = 0; index < batch; ++index) {
    if (!are_on_device(emulator, device, index)) return;
    std::vector<float> product(size_of(m) * size_of(n), 0.0F);
    if (reads_factors()) {
      const std::vector<float> left = packed(a, index, op_a, m, k, tf32);
      const std::vector<float> right = packed(b, index, op_b, k, n, tf32);
      multiply(size_of(m), size_of(n), size_of(k), left.data(), right.data(), product.data());
    }
    auto* const result = const_cast<float*>(in_batch(c, index));
    for (size_t j = 0; j < size_of(n); ++j) {
      float* const column = result + j * size_of(c.leading);
      for (size_t i = 0; i < size_of(m); ++i) {
        // Without beta c may hold anything.
        const float before = beta == 0.0F ? 0.0F : beta * column[i];
        column[i] = alpha * product[j * size_of(m) + i] + before;
      }
    }
  }
}

}  // namespace inferometer::emulation
