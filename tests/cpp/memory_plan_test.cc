#include "model/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "graph_under_test.h"
#include "model/lowering.h"

namespace inferometer {
namespace {

void expect_apart(const std::vector<BufferLife>& buffers, const Placement& placement) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    ASSERT_GE(placement.offsets[i], 0);
    ASSERT_EQ(placement.offsets[i] % 64, 0);
    ASSERT_LE(placement.offsets[i] + buffers[i].bytes, placement.bytes);
    for (size_t j = 0; j < i; ++j) {
      const bool together =
          buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
      const bool apart = placement.offsets[i] + buffers[i].bytes <= placement.offsets[j] ||
                         placement.offsets[j] + buffers[j].bytes <= placement.offsets[i];
      ASSERT_TRUE(!together || apart) << "buffers " << j << " and " << i << " overlap";
    }
  }
}

TEST(MemoryPlanTest, BuffersAliveTogetherNeverOverlap) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<int> count(1, 40);
  std::uniform_int_distribution<int> step(0, 30);
  std::uniform_int_distribution<int64_t> bytes(1, 2000);
  int64_t planned = 0;
  int64_t side_by_side = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<BufferLife> buffers(static_cast<size_t>(count(generator)));
    for (BufferLife& buffer : buffers) {
      const int first = step(generator);
      buffer = {bytes(generator), first, std::min(30, first + step(generator) / 6)};
      side_by_side += buffer.bytes;
    }
    const Placement placement = place_buffers(buffers);
    expect_apart(buffers, placement);
    planned += placement.bytes;
  }
  EXPECT_LT(planned, side_by_side / 2) << "memory is not shared";
}

TEST(MemoryPlanTest, AChainNeedsTwoBuffers) {
  const std::vector<BufferLife> buffers = {{640, 0, 1}, {640, 1, 2}, {640, 2, 3}, {640, 3, 4}};
  EXPECT_EQ(place_buffers(buffers).bytes, 1280);
}

TEST(MemoryPlanTest, AGapIsUsed) {
  // The small one fits between two that live longer, where a third was before.
  const std::vector<BufferLife> buffers = {{640, 0, 9}, {320, 0, 3}, {256, 0, 9}, {64, 5, 9}};
  const Placement placement = place_buffers(buffers);
  EXPECT_EQ(placement.bytes, 640 + 320 + 256);
  expect_apart(buffers, placement);
}

/// A random graph of additions and activations with shortcuts of any length.
Graph random_graph(std::mt19937& generator) {
  GraphUnderTest graph;
  std::vector<std::string> names = {"x0", "x1"};
  for (const std::string& name : names) graph.input(name, Shape({-1, 24}));
  const int nodes = std::uniform_int_distribution<int>(1, 25)(generator);
  for (int i = 0; i < nodes; ++i) {
    std::uniform_int_distribution<size_t> pick(0, names.size() - 1);
    const std::string name = std::to_string(i);
    switch (std::uniform_int_distribution<int>(0, 3)(generator)) {
      case 0:
        graph.node("Relu", {names[pick(generator)]}, name);
        break;
      case 1:
        graph.node("Identity", {names[pick(generator)]}, name);
        break;
      default:
        graph.node("Add", {names[pick(generator)], names[pick(generator)]}, name);
    }
    names.push_back(name);
  }
  graph.output(names.back());
  if (nodes > 3) graph.output(names[names.size() - 3]);
  return lower(graph.builder);
}

/// Runs the plan on paper: every read must find what was last written for that value.
void expect_reads_find_their_values(const Graph& graph, const MemoryPlan& plan) {
  std::vector<ValueId> owner(static_cast<size_t>(plan.bytes_per_row), kNoValue);
  const auto place = [&](ValueId id) {
    const auto offset = plan.offsets[static_cast<size_t>(id)];
    return std::span(owner).subspan(static_cast<size_t>(offset),
                                    static_cast<size_t>(graph.bytes(id)));
  };
  const auto check = [&](ValueId id) {
    const ValueId storage = graph.storage(id);
    if (plan.offsets[static_cast<size_t>(storage)] < 0) return;
    for (const ValueId found : place(storage)) ASSERT_EQ(found, storage);
  };
  for (const ValueId id : graph.inputs) {
    if (plan.offsets[static_cast<size_t>(id)] >= 0) std::ranges::fill(place(id), id);
  }
  for (const Op& op : graph.ops) {
    for (const ValueId id : op.inputs) check(id);
    if (plan.offsets[static_cast<size_t>(op.output)] >= 0) {
      std::ranges::fill(place(op.output), op.output);
    }
    for (const ValueId id : op.inputs) check(id);  // and is not overwritten by the result
  }
  for (const ValueId id : graph.outputs) check(id);
}

TEST(MemoryPlanTest, RandomGraphsReadWhatTheyWrote) {
  std::mt19937 generator(2);
  for (int round = 0; round < 200; ++round) {
    const Graph graph = random_graph(generator);
    for (const bool stage_io : {false, true}) {
      const MemoryPlan plan = plan_memory(graph, stage_io);
      expect_reads_find_their_values(graph, plan);
      for (const ValueId id : graph.outputs) {
        EXPECT_EQ(plan.offsets[static_cast<size_t>(graph.storage(id))] >= 0, stage_io);
      }
    }
  }
}

}  // namespace
}  // namespace inferometer
