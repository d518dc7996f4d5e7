// Which elements are a thread's own, strided positions, windows. For .cu files.
//
// Indices have 64 bits: an activation of 2^31 elements is 8 GiB. Most are small, and the compiler
// divides in 32 bits where both operands fit (LLVM's NVPTX target sets addBypassSlowDiv(64, 32)).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <limits>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_launch.h"
#include "backend/operations.h"

namespace inferometer::cuda {

inline constexpr int kBlockThreads = 256;
inline constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
// CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
inline constexpr int64_t kMaxGridX = 2147483647;
inline constexpr int64_t kMaxGridY = 65535;

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The smallest power of two that is not below `count`, `limit` (a power of two) at most.
inline int64_t power_of_two(int64_t count, int64_t limit) {
  int64_t power = 1;
  while (power < count && power < limit) power *= 2;
  return power;
}

/// A grid of `x` by `y` blocks, or as many as there may be: kernels go on in steps of the grid.
inline dim3 grid_of(int64_t x, int64_t y = 1) {
  return {static_cast<unsigned>(least(x, kMaxGridX)), static_cast<unsigned>(least(y, kMaxGridY))};
}
inline dim3 block_of(int64_t x, int64_t y) {
  return {static_cast<unsigned>(x), static_cast<unsigned>(y)};
}

/// launch() of cuda_launch.h; throws DeviceError if CUDA refuses it.
template <typename... Params, typename... Args>
void launch_checked(void (*kernel)(Params...), dim3 grid, dim3 block, cudaStream_t stream,
                    Args... args) {
  launch(kernel, grid, block, stream, args...);
  check(cudaGetLastError(), "launching a kernel");
}

/// One thread for each of `length` elements (x) of each of `lines` lines (y), which lie one behind
/// the other: a block has a part of a long line, or several short ones, and its threads are in the
/// order of the elements either way, so that they read and write side by side.
template <typename... Params, typename... Args>
void launch_over_lines(void (*kernel)(Params...), int64_t lines, int64_t length,
                       cudaStream_t stream, Args... args) {
  if (lines == 0 || length == 0) return;
  const int64_t parts = ceil_div(length, kBlockThreads);
  const int64_t width = ceil_div(length, parts);
  const int64_t height = least(kBlockThreads / width, lines);
  launch_checked(kernel, grid_of(parts, ceil_div(lines, height)), block_of(width, height), stream,
                 args...);
}

// For kernels launched so: for (i = first_x(); i < length; i += step_x()), and so for lines. Few
// threads come round a second time: unrolled, such loops only take registers (nvcc 13, sm_80: 40
// instead of 18 for bias_activation), which is why they all say #pragma unroll 1.
__device__ inline int64_t first_x() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ inline int64_t step_x() { return int64_t{gridDim.x} * blockDim.x; }
__device__ inline int64_t first_y() { return int64_t{blockIdx.y} * blockDim.y + threadIdx.y; }
__device__ inline int64_t step_y() { return int64_t{gridDim.y} * blockDim.y; }

/// The element offset of position `index`, counted in row-major order over `dims`.
__device__ inline int64_t strided_offset(int64_t index, int rank, const int64_t* dims,
                                         const int64_t* strides) {
  int64_t offset = 0;
  for (int axis = rank - 1; axis > 0; --axis) {
    const int64_t outer = index / dims[axis];
    offset += (index - outer * dims[axis]) * strides[axis];
    index = outer;
  }
  return rank > 0 ? offset + index * strides[0] : 0;
}

/// Zero or more, NaN as it is (a maximum instruction drops it).
__device__ inline float activated(Activation activation, float value) {
  return activation == Activation::kRelu && value < 0.0F ? 0.0F : value;
}

/// The taps of a window along one axis: number t stands at start + t * dilation, and those of
/// [first, last) fall on the plane.
struct Taps {
  int64_t start, first, last;
};

__device__ inline Taps taps_on_plane(int64_t out, int64_t stride, int64_t dilation, int64_t kernel,
                                     int64_t pad, int64_t size) {
  Taps taps;
  taps.start = out * stride - pad;
  taps.first = taps.start >= 0 ? 0 : (dilation - 1 - taps.start) / dilation;
  const int64_t inside = size - taps.start;  // from the start to the end of the plane
  taps.last = inside <= 0 ? 0 : (inside + dilation - 1) / dilation;
  if (taps.last > kernel) taps.last = kernel;
  if (taps.first > taps.last) taps.first = taps.last;
  return taps;
}

}  // namespace inferometer::cuda
