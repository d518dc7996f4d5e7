// How kernels come to a stream, and their threads to barriers.
#include <utility>

#include "call.h"
#include "cuda_emulation_launch.h"
#include "fiber.h"

namespace inferometer::emulation {
namespace {

/// The grid runner of the device operation that runs; used by its thread alone, which has the lock.
GridRunner* running_grids = nullptr;

bool is_valid(dim3 grid, dim3 block) {
  constexpr unsigned kMaxThreads = 1024;
  constexpr unsigned kMaxThreadsDeep = 64;
  constexpr unsigned kMaxGrid = 65535;
  constexpr unsigned kMaxGridWide = 0x7FFFFFFF;
  const bool grid_fits = grid.x >= 1 && grid.y >= 1 && grid.z >= 1 && grid.x <= kMaxGridWide &&
                         grid.y <= kMaxGrid && grid.z <= kMaxGrid;
  const bool block_fits = block.x >= 1 && block.y >= 1 && block.z >= 1 && block.x <= kMaxThreads &&
                          block.y <= kMaxThreads && block.z <= kMaxThreadsDeep;
  return grid_fits && block_fits && size_t{block.x} * block.y * block.z <= kMaxThreads;
}

}  // namespace

void queue_kernel(dim3 grid, dim3 block, cudaStream_t stream, std::function<void()> thread,
                  SharedMemory shared) {
  runtime_call("cudaLaunchKernel", CallKind::kWork, [&](Call& call) {
    if (!is_valid(grid, block)) return cudaErrorInvalidConfiguration;
    running_grids = &call.emulator().grids;
    return call.emulator().queue_kernel(stream, {grid, block, std::move(thread), shared});
  });
}

void wait_at_barrier(const char* file, int line) {
  if (Fiber::current() != nullptr) running_grids->wait_at_barrier(file, line);
}

}  // namespace inferometer::emulation
