// How kernels are launched on the emulation; cpp/src/backend/cuda/cuda_launch.h is what calls it.
#pragma once

#include <functional>
#include <utility>

#include "cuda_device_words.h"

// The marks that shared_memory.ld puts around the __shared__ variables of a program or library;
// null where it was linked without (then nothing is filled).
extern char inferometer_cuda_shared_begin[] __attribute__((weak, visibility("hidden")));
extern char inferometer_cuda_shared_end[] __attribute__((weak, visibility("hidden")));

namespace inferometer::emulation {

/// Memory that blocks share their variables in.
struct SharedMemory {
  char* begin;
  char* end;
};

/// Queues `thread`, which is called once for each thread of the grid, on `stream`.
CUDA_EMULATION_API void queue_kernel(dim3 grid, dim3 block, cudaStream_t stream,
                                     std::function<void()> thread, SharedMemory shared);

/// The same, with the __shared__ variables of the program or library that calls it. Errors of the
/// launch itself are told by cudaGetLastError().
template <typename Callable>
inline __attribute__((visibility("hidden"))) void launch(dim3 grid, dim3 block, cudaStream_t stream,
                                                         Callable&& thread) {
  queue_kernel(grid, block, stream, std::forward<Callable>(thread),
               {inferometer_cuda_shared_begin, inferometer_cuda_shared_end});
}

}  // namespace inferometer::emulation
