// Where intermediate results lie: buffers that are never alive together share memory.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "model/graph.h"

namespace inferometer {

/// A buffer that must keep its content from step `first` to step `last`, both included. A value
/// type.
struct BufferLife {
  int64_t bytes = 0;
  int first = 0, last = 0;
};

/// Sizes of neighbours in one block of memory: the next multiple of 64, a cache line.
template <std::integral Bytes>
[[nodiscard]] constexpr Bytes aligned(Bytes bytes) noexcept {
  constexpr Bytes kAlignment{64};
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

struct Placement {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
};

/// Offsets (multiples of 64) such that buffers alive at the same step do not overlap: the largest
/// first, each at the lowest place that is free.
[[nodiscard]] Placement place_buffers(std::span<const BufferLife> buffers);

/// The arena of one row. For n rows every offset and size is n times as large, which keeps buffers
/// apart and aligned. A value type.
struct MemoryPlan {
  /// By value: bytes from the start of the arena, or -1 for what lies elsewhere.
  std::vector<int64_t> offsets;
  int64_t bytes_per_row = 0;
};

/// Plans what operations compute. Inputs and outputs of the graph stay in the caller's memory,
/// unless `stage_io`: then they have a place in the arena too (for a device that cannot reach the
/// caller's memory).
[[nodiscard]] MemoryPlan plan_memory(const Graph& graph, bool stage_io);

}  // namespace inferometer
