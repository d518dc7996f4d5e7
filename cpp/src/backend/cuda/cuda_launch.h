// The one place where kernels are launched: with <<<>>> where nvcc compiles, as plain functions on
// the host emulation (tests/fakes/cuda) where a C++ compiler does.
#pragma once

#include <cuda_runtime.h>

#ifndef __CUDACC__
#include <cuda_emulation_launch.h>
#endif

namespace inferometer::cuda {

/// Queues `kernel` on `stream`. Arguments are copied. What is wrong with the launch itself is told
/// by cudaGetLastError().
template <typename... Params, typename... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, cudaStream_t stream, Args... args) {
#ifdef __CUDACC__
  kernel<<<grid, block, 0, stream>>>(args...);
#else
  emulation::launch(grid, block, stream, [=] { kernel(args...); });
#endif
}

}  // namespace inferometer::cuda
