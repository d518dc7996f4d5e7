// The innermost product: a block of rows times a block of columns, held in registers.
// Part of cpu_kernels_isa.cc.
//
// Eigen's product packs both operands on every call. For a batch of a few rows, or an image of a
// few dozen pixels, that costs more than the arithmetic (2 rows of 784x1024 took longer than 2
// single rows; see bench/model_bench.cc). Here the left operand is read as it is, and the right one
// comes in an order that was chosen when the model was compiled (gemm) or when its columns were
// made (conv2d).
#pragma once

#include <cstddef>

#include "backend/cpu_eigen.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

// Sums must leave room for a few operands among 32 registers (AVX-512) or 16.
#if defined(__AVX512F__)
inline constexpr int64_t kLanes = 16;
inline constexpr int64_t kTileRows = 8;
#elif defined(__AVX__)
inline constexpr int64_t kLanes = 8;
inline constexpr int64_t kTileRows = 6;
#else
inline constexpr int64_t kLanes = 4;
inline constexpr int64_t kTileRows = 6;
#endif
inline constexpr int64_t kTileVectors = 2;
inline constexpr int64_t kTileColumns = kLanes * kTileVectors;

typedef float Lanes __attribute__((vector_size(4UL * kLanes)));

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/// tile[r][c] = sum over d of lhs[r * depth + d] * rhs[d * stride + c], for kRows rows and
/// kVectors * kLanes columns. Never inlined: its loop needs every register there is.
template <size_t kRows, size_t kVectors>
[[gnu::noinline]] static void multiply_tile(int64_t depth, const float* lhs, const float* rhs,
                                            int64_t stride, float (*tile)[kTileColumns]) {
  // An addition takes four cycles: a small tile keeps several sums for each element going.
  constexpr size_t kChains = kRows * kVectors >= 8 ? 1 : (kRows * kVectors >= 4 ? 2 : 4);
  Lanes sums[kChains][kRows][kVectors];
#pragma GCC unroll 4
  for (size_t chain = 0; chain < kChains; ++chain) {
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sums[chain][r][v] = Lanes{};
    }
  }
  // One pointer for three rows: base, base + depth and base + 2 * depth are addressing modes.
  const float* bases[3] = {lhs, lhs + 3 * depth, lhs + 6 * depth};
  const auto step = [&](Lanes(&sum)[kRows][kVectors]) {
    Lanes columns[kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      __builtin_memcpy(&columns[v], rhs + v * kLanes, sizeof(Lanes));
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; ++r) {
      const float factor = bases[r / 3][static_cast<int64_t>(r % 3) * depth];
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] += factor * columns[v];
    }
    ++bases[0];
    ++bases[1];
    ++bases[2];
    rhs += stride;
  };
  int64_t d = static_cast<int64_t>(kChains);
  for (; d <= depth; d += static_cast<int64_t>(kChains)) {
#pragma GCC unroll 4
    for (size_t chain = 0; chain < kChains; ++chain) step(sums[chain]);
  }
  for (d -= static_cast<int64_t>(kChains); d < depth; ++d) step(sums[0]);
#pragma GCC unroll 8
  for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      Lanes total = sums[0][r][v];
#pragma GCC unroll 4
      for (size_t chain = 1; chain < kChains; ++chain) total += sums[chain][r][v];
      __builtin_memcpy(tile[r] + v * kLanes, &total, sizeof(Lanes));
    }
  }
}

using MultiplyTile = void (*)(int64_t depth, const float* lhs, const float* rhs, int64_t stride,
                              float (*tile)[kTileColumns]);

/// The product for 1 to kTileRows rows and 1 to kTileColumns columns (it may compute further
/// columns, which must be readable).
static MultiplyTile select_tile(int64_t rows, int64_t columns) {
#define INFEROMETER_TILES(n)                            \
  {                                                     \
    multiply_tile<n, 1>, multiply_tile<n, kTileVectors> \
  }
  static const MultiplyTile kTiles[][2] = {
      INFEROMETER_TILES(1), INFEROMETER_TILES(2), INFEROMETER_TILES(3),
      INFEROMETER_TILES(4), INFEROMETER_TILES(5), INFEROMETER_TILES(6),
#if defined(__AVX512F__)
      INFEROMETER_TILES(7), INFEROMETER_TILES(8),
#endif
  };
#undef INFEROMETER_TILES
  static_assert(sizeof(kTiles) / sizeof(kTiles[0]) == kTileRows);
  return kTiles[rows - 1][columns > kLanes ? 1 : 0];
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
