#include "model/graph.h"

#include <gtest/gtest.h>

namespace inferometer {
namespace {

/// x -> a -> b, x -> c (unread); view of b is the output.
Graph chain() {
  Graph graph;
  const ValueId x = graph.add({.name = "x", .kind = ValueKind::kInput, .shape = Shape({2, 3})});
  const ValueId a = graph.add({.name = "a", .shape = Shape({2, 3})});
  const ValueId b = graph.add({.name = "b", .shape = Shape({2, 3})});
  const ValueId c = graph.add({.name = "c", .shape = Shape({2, 3})});
  const ValueId d = graph.add({.name = "d", .shape = Shape({2, 3})});
  const ValueId view =
      graph.add({.name = "view", .kind = ValueKind::kView, .shape = Shape({6}), .viewed = b});
  graph.inputs = {x};
  graph.outputs = {view};
  graph.ops = {{Relu{6}, {x}, a, "Relu"},
               {Relu{6}, {a}, b, "Relu"},
               {Relu{6}, {x}, c, "Relu"},
               {Relu{6}, {c}, d, "Relu"}};
  return graph;
}

TEST(GraphTest, AViewHasTheMemoryOfWhatItViews) {
  const Graph graph = chain();
  EXPECT_EQ(graph.storage(5), 2);
  EXPECT_EQ(graph.storage(2), 2);
  EXPECT_EQ(graph.bytes(5), 24);
}

TEST(GraphTest, CountsReadsOfMemory) {
  const std::vector<int> reads = chain().count_reads();
  EXPECT_EQ(reads, (std::vector<int>{2, 1, 1, 1, 0, 0}));
}

TEST(GraphTest, DropsWhatNobodyReadsAndWhatOnlyThatRead) {
  Graph graph = chain();
  graph.remove_unread();
  ASSERT_EQ(graph.ops.size(), 2U);
  EXPECT_EQ(graph.ops[0].output, 1);
  EXPECT_EQ(graph.ops[1].output, 2);
}

}  // namespace
}  // namespace inferometer
