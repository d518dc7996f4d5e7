// The words of CUDA C++ that kernels are written with. One device operation runs at a time, on one
// host thread, so what a thread's position is kept in are plain variables.
#pragma once

#include <math.h>

#include <algorithm>

#include "cuda_runtime_api.h"

// Names are NVIDIA's; so are macros in lower case.
// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier,bugprone-macro-parentheses)

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
#define __forceinline__ inline __attribute__((always_inline))

// A block has a static variable to itself, since blocks run one after the other. g++ gathers those
// with this attribute, of templates too, in sections of their own, and shared_memory.ld puts marks
// around them, so that they can be filled before each block.
#if defined(__GNUC__) && !defined(__clang__)
#define __shared__ static __attribute__((noinit))
#else
#define __shared__ static
#endif

namespace inferometer::emulation {

/// Where the thread that runs is.
struct Position {
  uint3 thread;
  uint3 block;
  dim3 block_size;
  dim3 grid_size;
};
extern CUDA_EMULATION_API Position g_position;

/// Waits at a barrier until all threads of the block do.
CUDA_EMULATION_API void wait_at_barrier(const char* file, int line);

inline const uint3& thread_position() { return g_position.thread; }
inline const uint3& block_position() { return g_position.block; }
inline const dim3& block_size() { return g_position.block_size; }
inline const dim3& grid_size() { return g_position.grid_size; }

}  // namespace inferometer::emulation

// Functions, so that no kernel can write them.
#define threadIdx (::inferometer::emulation::thread_position())
#define blockIdx (::inferometer::emulation::block_position())
#define blockDim (::inferometer::emulation::block_size())
#define gridDim (::inferometer::emulation::grid_size())
inline constexpr int warpSize = 32;

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  inferometer::emulation::wait_at_barrier(file, line);
}
inline void __threadfence() {}

template <typename T>
T __ldg(const T* pointer) {
  return *pointer;
}
inline float rsqrtf(float x) { return 1.0F / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }

// CUDA has them in the global namespace.
inline int min(int a, int b) { return std::min(a, b); }
inline int max(int a, int b) { return std::max(a, b); }
inline unsigned min(unsigned a, unsigned b) { return std::min(a, b); }
inline unsigned max(unsigned a, unsigned b) { return std::max(a, b); }
inline long min(long a, long b) { return std::min(a, b); }
inline long max(long a, long b) { return std::max(a, b); }
inline unsigned long min(unsigned long a, unsigned long b) { return std::min(a, b); }
inline unsigned long max(unsigned long a, unsigned long b) { return std::max(a, b); }
inline long long min(long long a, long long b) { return std::min(a, b); }
inline long long max(long long a, long long b) { return std::max(a, b); }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier,bugprone-macro-parentheses)
