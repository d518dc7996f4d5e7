#include "model/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace inferometer {

Placement place_buffers(std::span<const BufferLife> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order,
                           [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  Placement placement{.offsets = std::vector<int64_t>(buffers.size(), 0)};
  std::vector<size_t> placed;  // in order of offset
  for (const size_t current : order) {
    const int64_t bytes = aligned(buffers[current].bytes);
    int64_t offset = 0;
    for (const size_t other : placed) {
      const bool together = buffers[other].first <= buffers[current].last &&
                            buffers[current].first <= buffers[other].last;
      if (!together) continue;
      if (placement.offsets[other] >= offset + bytes) break;  // fits into the gap before it
      offset = std::max(offset, placement.offsets[other] + aligned(buffers[other].bytes));
    }
    placement.offsets[current] = offset;
    placement.bytes = std::max(placement.bytes, offset + bytes);
    const auto place = std::ranges::upper_bound(
        placed, offset, {}, [&](size_t other) { return placement.offsets[other]; });
    placed.insert(place, current);
  }
  return placement;
}

MemoryPlan plan_memory(const Graph& graph, bool stage_io) {
  const auto steps = static_cast<int>(graph.ops.size());
  std::vector<BufferLife> lives(graph.values.size(), {.bytes = 0, .first = steps, .last = -1});
  const auto touch = [&](ValueId id, int step) {
    BufferLife& life = lives[static_cast<size_t>(graph.storage(id))];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int step = 0; step < steps; ++step) {
    const Op& op = graph.ops[static_cast<size_t>(step)];
    touch(op.output, step);
    for (const ValueId id : op.inputs) {
      if (id != kNoValue && !graph.is_constant(id)) touch(id, step);
    }
  }
  // Inputs are there before the first step, outputs until after the last.
  for (const ValueId id : graph.inputs) touch(id, 0);
  for (const ValueId id : graph.outputs) touch(id, steps);

  std::vector<ValueId> ids;
  std::vector<BufferLife> buffers;
  for (size_t i = 0; i < lives.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const ValueKind kind = graph.value(id).kind;
    const bool output = lives[i].last == steps;
    const bool ours =
        kind == ValueKind::kComputed ? stage_io || !output : stage_io && kind == ValueKind::kInput;
    if (!ours || lives[i].last < 0) continue;
    lives[i].bytes = graph.bytes(id);
    ids.push_back(id);
    buffers.push_back(lives[i]);
  }
  const Placement placement = place_buffers(buffers);
  MemoryPlan plan{.offsets = std::vector<int64_t>(graph.values.size(), -1),
                  .bytes_per_row = placement.bytes};
  for (size_t i = 0; i < ids.size(); ++i) {
    plan.offsets[static_cast<size_t>(ids[i])] = placement.offsets[i];
  }
  return plan;
}

}  // namespace inferometer
