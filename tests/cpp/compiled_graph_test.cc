#include "model/compiled_graph.h"

#include <gtest/gtest.h>

#include "graph_under_test.h"
#include "inferometer/errors.h"
#include "model/lowering.h"
#include "remote_backend.h"

namespace inferometer {
namespace {

TEST(CompiledGraphTest, UploadsOnlyWhatOperationsRead) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 4})).weight("w", Shape({4, 8})).weight("unused", Shape({1000}));
  graph.constant("shape", integers({0, -1})).node("MatMul", {"x", "w"}, "m");
  graph.node("Reshape", {"m", "shape"}, "y").output("y");
  const auto backend = std::make_shared<RemoteBackend>();
  const CompiledGraph compiled(lower(graph.builder), backend);
  EXPECT_GE(compiled.weights_bytes(), 4 * 8 * 4);
  EXPECT_LT(compiled.weights_bytes(), 1000 * 4);
  EXPECT_EQ(backend->loads, 1);
}

TEST(CompiledGraphTest, AConstantMayBeAWeightAndAnOperand) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 3, 3})).weight("w", Shape({3, 3})).node("MatMul", {"x", "w"}, "a");
  graph.node("Add", {"a", "w"}, "b")
      .node("MatMul", {"b", "w"}, "c")
      .node("MatMul", {"w", "c"}, "y");
  graph.output("y");
  const auto backend = std::make_shared<RemoteBackend>();
  const CompiledGraph compiled(lower(graph.builder), backend);
  EXPECT_EQ(backend->loads, 2) << "once in each order";
}

TEST(CompiledGraphTest, SpecsHaveTheNamesAndShapesOfTheGraph) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 4, 2})).node("Relu", {"x"}, "r").node("Flatten", {"r"}, "y");
  graph.output("y");
  const CompiledGraph compiled(lower(graph.builder), std::make_shared<RemoteBackend>());
  ASSERT_EQ(compiled.inputs().size(), 1U);
  EXPECT_EQ(compiled.inputs()[0].name, "x");
  EXPECT_EQ(compiled.inputs()[0].shape, Shape({-1, 4, 2}));
  EXPECT_EQ(compiled.outputs()[0].name, "y");
  EXPECT_EQ(compiled.outputs()[0].shape, Shape({-1, 8}));
}

TEST(CompiledGraphTest, MemoryGrowsWithRows) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 1, 4, 4})).weight("w", Shape({2, 1, 3, 3}));
  graph.node("Conv", {"x", "w"}, "c").node("Softmax", {"c"}, "y").output("y");
  const CompiledGraph compiled(lower(graph.builder), std::make_shared<RemoteBackend>(true));
  EXPECT_EQ(compiled.plan().bytes_per_row, 64);  // 2 * 2 * 2 floats, rounded up
  EXPECT_EQ(compiled.arena_bytes(10), 640 + compiled.workspace_bytes(10));
  EXPECT_THROW((void)compiled.arena_bytes(int64_t{1} << 60), ShapeError);
}

}  // namespace
}  // namespace inferometer
