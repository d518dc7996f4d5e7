#include "model/lowering.h"

#include <gtest/gtest.h>

#include "graph_under_test.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr int64_t kRows = Shape::kFree;

/// The row shape of "y" after one node on an input "x" and whatever constants the graph has.
Shape shape_after(GraphUnderTest& graph) {
  graph.output("y");
  const Graph lowered = lower(graph.builder);
  return lowered.value(lowered.outputs.at(0)).shape;
}

std::string refusal(const GraphUnderTest& graph) {
  try {
    (void)lower(graph.builder);
  } catch (const UnsupportedOperatorError& error) {
    return error.what();
  }
  return "";
}

#define EXPECT_CONTAINS(text, part) \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << "got: " << (text)

TEST(LoweringTest, InfersShapesPerRow) {
  struct Case {
    std::string op;
    Shape input;
    std::vector<Shape> weights;
    std::map<std::string, Attribute> attributes;
    Shape expected;
  };
  const Case cases[] = {
      {"Conv", Shape({kRows, 3, 8, 8}), {Shape({5, 3, 3, 3})}, {}, Shape({5, 6, 6})},
      {"Conv",
       Shape({kRows, 4, 9}),
       {Shape({6, 2, 3}), Shape({6})},
       {{"group", int64_t{2}}},
       Shape({6, 7})},
      {"MaxPool",
       Shape({kRows, 3, 8, 8}),
       {},
       {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
       Shape({3, 4, 4})},
      {"AveragePool", Shape({kRows, 3, 8}), {}, {{"kernel_shape", Ints{3}}}, Shape({3, 6})},
      {"GlobalAveragePool", Shape({kRows, 3, 8, 8}), {}, {}, Shape({3, 1, 1})},
      {"BatchNormalization",
       Shape({kRows, 3, 2}),
       {Shape({3}), Shape({3}), Shape({3}), Shape({3})},
       {},
       Shape({3, 2})},
      {"Gemm", Shape({kRows, 4}), {Shape({4, 6}), Shape({6})}, {}, Shape({6})},
      {"Gemm",
       Shape({kRows, 4}),
       {Shape({6, 4}), Shape({1, 1})},
       {{"transB", int64_t{1}}},
       Shape({6})},
      {"MatMul", Shape({kRows, 4}), {Shape({4, 6})}, {}, Shape({6})},
      {"MatMul", Shape({kRows, 2, 4}), {Shape({4, 6})}, {}, Shape({2, 6})},
      {"MatMul", Shape({kRows, 3, 2, 4}), {Shape({3, 4, 6})}, {}, Shape({3, 2, 6})},
      {"MatMul", Shape({kRows, 4}), {Shape({4})}, {}, Shape()},
      {"MatMul", Shape({kRows, 3, 2, 4}), {Shape({4})}, {}, Shape({3, 2})},
      {"Add", Shape({kRows, 4}), {Shape({4})}, {}, Shape({4})},
      {"Add", Shape({kRows, 1, 4}), {Shape({1, 3, 1})}, {}, Shape({3, 4})},
      {"Relu", Shape({kRows, 4}), {}, {}, Shape({4})},
      {"Relu", Shape({kRows}), {}, {}, Shape()},
      {"Softmax", Shape({kRows, 4, 5}), {}, {{"axis", int64_t{1}}}, Shape({4, 5})},
      {"ReduceMean", Shape({kRows, 4, 5}), {}, {{"axes", Ints{-1}}}, Shape({4, 1})},
      {"ReduceMean",
       Shape({kRows, 4, 5}),
       {},
       {{"axes", Ints{1, 2}}, {"keepdims", int64_t{0}}},
       Shape()},
      {"Flatten", Shape({kRows, 4, 5}), {}, {}, Shape({20})},
      {"Flatten", Shape({kRows, 4, 5}), {}, {{"axis", int64_t{-2}}}, Shape({20})},
      {"Flatten", Shape({kRows, 1, 5}), {}, {{"axis", int64_t{2}}}, Shape({5})},
      {"Identity", Shape({kRows, 4, 5}), {}, {}, Shape({4, 5})},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &c - cases << ": " << c.op);
    GraphUnderTest graph;
    graph.input("x", c.input);
    std::vector<std::string> inputs = {"x"};
    for (const Shape& shape : c.weights) {
      inputs.push_back(std::to_string(inputs.size()));
      graph.positive(inputs.back(), shape);
    }
    graph.node(c.op, inputs, "y", c.attributes);
    EXPECT_EQ(shape_after(graph), c.expected);
  }
}

TEST(LoweringTest, ReshapeKeepsRowsFirst) {
  const std::pair<Ints, Shape> cases[] = {{{0, -1}, Shape({20})},
                                          {{-1, 20}, Shape({20})},
                                          {{0, 2, 10}, Shape({2, 10})},
                                          {{-1, 0, 5}, Shape({4, 5})},
                                          {{0, 0, -1, 1}, Shape({4, 5, 1})}};
  for (const auto& [target, expected] : cases) {
    GraphUnderTest graph;
    graph.input("x", Shape({kRows, 4, 5})).constant("shape", integers(target));
    graph.node("Reshape", {"x", "shape"}, "y");
    EXPECT_EQ(shape_after(graph), expected);
  }
}

TEST(LoweringTest, RefusesWhateverMixesRows) {
  struct Case {
    std::string op;
    Shape input;
    std::vector<Shape> weights;
    std::map<std::string, Attribute> attributes;
  };
  const Case cases[] = {
      {"Softmax", Shape({kRows, 4}), {}, {{"axis", int64_t{0}}}},
      {"Softmax", Shape({kRows, 4}), {}, {{"axis", int64_t{-2}}}},
      {"Softmax", Shape({kRows, 4}), {}, {{"axis", int64_t{0}}, {"coerce_to_2d", int64_t{1}}}},
      {"ReduceMean", Shape({kRows, 4}), {}, {{"axes", Ints{0}}}},
      {"ReduceMean", Shape({kRows, 4}), {}, {{"axes", Ints{1, -2}}}},
      {"ReduceMean", Shape({kRows, 4}), {}, {}},
      {"Flatten", Shape({kRows, 4, 5}), {}, {{"axis", int64_t{0}}}},
      {"Flatten", Shape({kRows, 4, 5}), {}, {{"axis", int64_t{2}}}},
      {"Flatten", Shape({kRows, 4, 5}), {}, {{"axis", int64_t{3}}}},
      {"Gemm", Shape({kRows, 4}), {Shape({4, 6})}, {{"transA", int64_t{1}}}},
      {"Gemm", Shape({kRows, 4}), {Shape({4, 6}), Shape({3, 6})}, {}},
      {"Add", Shape({kRows, 4}), {Shape({3, 4})}, {}},
      {"Add", Shape({kRows, 4}), {Shape({2, 1, 4})}, {}},
      {"MatMul", Shape({kRows, 4}), {Shape({2, 4, 6})}, {}},
      {"MatMul", Shape({kRows, 3, 4}), {Shape({2, 4, 6})}, {}},
      {"BatchNormalization",
       Shape({kRows, 3}),
       {Shape({3}), Shape({3}), Shape({3}), Shape({3})},
       {{"training_mode", int64_t{1}}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &c - cases << ": " << c.op);
    GraphUnderTest graph;
    graph.input("x", c.input);
    std::vector<std::string> inputs = {"x"};
    for (const Shape& shape : c.weights) {
      inputs.push_back(std::to_string(inputs.size()));
      graph.positive(inputs.back(), shape);
    }
    graph.node(c.op, inputs, "y", c.attributes).output("y");
    const std::string message = refusal(graph);
    EXPECT_CONTAINS(message, c.op + " \"y\"");
    EXPECT_TRUE(message.find("rows") != std::string::npos) << message;
  }
}

TEST(LoweringTest, RefusesReshapesThatMoveRows) {
  for (const Ints& target :
       {Ints{20, -1}, Ints{1, 20}, Ints{-1, 10}, Ints{2, -1}, Ints{-1}, Ints{}}) {
    GraphUnderTest graph;
    graph.input("x", Shape({kRows, 4, 5})).constant("shape", integers(target));
    graph.node("Reshape", {"x", "shape"}, "y").output("y");
    EXPECT_CONTAINS(refusal(graph), "mixes the rows");
  }
}

TEST(LoweringTest, RefusesProductsOfActivationsOverRows) {
  GraphUnderTest graph;
  graph.input("a", Shape({kRows, 4})).input("b", Shape({kRows, 4}));
  graph.node("MatMul", {"a", "b"}, "y").output("y");
  EXPECT_CONTAINS(refusal(graph), "mixes the rows");
  GraphUnderTest ranks;
  ranks.input("a", Shape({kRows, 4})).input("b", Shape({kRows, 3, 4}));
  ranks.node("Add", {"a", "b"}, "y").output("y");
  EXPECT_CONTAINS(refusal(ranks), "mixes the rows");
}

TEST(LoweringTest, AConstantVectorOnTheLeftIsARow) {
  GraphUnderTest graph;
  graph.input("x", Shape({kRows, 3, 4, 2})).weight("w", Shape({4}));
  graph.node("MatMul", {"w", "x"}, "y");
  EXPECT_EQ(shape_after(graph), Shape({3, 2}));
  GraphUnderTest mixing;
  mixing.input("x", Shape({kRows, 2})).weight("w", Shape({4}));
  mixing.node("MatMul", {"w", "x"}, "y").output("y");
  EXPECT_CONTAINS(refusal(mixing), "mixes the rows");
}

TEST(LoweringTest, GemmAddsAComputedRowToEveryRow) {
  for (const int64_t columns : {6, 1}) {
    GraphUnderTest graph;
    graph.input("x", Shape({kRows, 4})).input("c", Shape({kRows, columns}));
    graph.weight("w", Shape({4, 6})).node("Gemm", {"x", "w", "c"}, "y", {{"alpha", 0.5}});
    EXPECT_EQ(shape_after(graph), Shape({6}));
  }
  GraphUnderTest scaled;
  scaled.input("x", Shape({kRows, 4})).input("c", Shape({kRows, 6})).weight("w", Shape({4, 6}));
  scaled.node("Gemm", {"x", "w", "c"}, "y", {{"beta", 0.5}}).output("y");
  EXPECT_CONTAINS(refusal(scaled), "beta");
  GraphUnderTest aligned_elsewhere;
  aligned_elsewhere.input("x", Shape({kRows, 4})).input("c", Shape({kRows}));
  aligned_elsewhere.weight("w", Shape({4, 6})).node("Gemm", {"x", "w", "c"}, "y").output("y");
  EXPECT_CONTAINS(refusal(aligned_elsewhere), "mixes the rows");
}

TEST(LoweringTest, ASingleRowMayBeWrittenAsOne) {
  GraphUnderTest graph;
  graph.input("x", Shape({1, 4, 5})).constant("shape", integers({1, -1}));
  graph.node("Reshape", {"x", "shape"}, "r").node("Flatten", {"r"}, "f", {{"axis", int64_t{0}}});
  graph.node("Softmax", {"f"}, "y", {{"axis", int64_t{0}}, {"coerce_to_2d", int64_t{1}}});
  graph.output("y");
  const Graph lowered = lower(graph.builder);
  EXPECT_TRUE(lowered.single_row);
  EXPECT_EQ(lowered.value(lowered.outputs[0]).shape, Shape({20}));
}

TEST(LoweringTest, NamesEverythingUnsupportedAtOnce) {
  GraphUnderTest graph;
  graph.input("x", Shape({kRows, 4, 4, 4, 4})).weight("w", Shape({4, 4, 3, 3, 3}));
  graph.node("Conv", {"x", "w"}, "c").node("Gelu", {"c"}, "g").node("Relu", {"g"}, "r");
  graph.node("Softmax", {"x"}, "s", {{"axis", int64_t{0}}}).output("r").output("s");
  const std::string message = refusal(graph);
  EXPECT_CONTAINS(message, "Conv \"c\": 3 dimensions of space");
  EXPECT_CONTAINS(message, "Gelu \"g\": not implemented");
  EXPECT_CONTAINS(message, "Softmax \"s\"");
  EXPECT_EQ(message.find("Relu"), std::string::npos) << "only the causes: " << message;
}

TEST(LoweringTest, NamesOperatorAndDtype) {
  GraphUnderTest graph;
  graph.builder.add_input({"x", DType::kFloat64, Shape({kRows, 4})});
  graph.node("Relu", {"x"}, "y").output("y");
  EXPECT_CONTAINS(refusal(graph), "Relu \"y\": got float64");
}

TEST(LoweringTest, RefusesSecondOutputsAndUnknownAttributes) {
  GraphUnderTest graph;
  graph.input("x", Shape({kRows, 3, 8, 8}));
  graph.builder.add_node({"MaxPool", "p", {"x"}, {"y", "indices"}, {{"kernel_shape", Ints{2, 2}}}});
  graph.node("Relu", {"x"}, "z", {{"slope", 0.5}}).output("y").output("z");
  const std::string message = refusal(graph);
  EXPECT_CONTAINS(message, "MaxPool \"p\": output 1 (\"indices\")");
  EXPECT_CONTAINS(message, "attribute \"slope\"");
}

TEST(LoweringTest, OutputsHaveMemoryOfTheirOwn) {
  GraphUnderTest graph;
  graph.input("x", Shape({kRows, 4})).node("Identity", {"x"}, "same").node("Relu", {"x"}, "y");
  graph.node("Identity", {"y"}, "z").output("same").output("y").output("z");
  const Graph lowered = lower(graph.builder);
  std::set<ValueId> memory;
  for (const ValueId id : lowered.outputs) memory.insert(lowered.storage(id));
  EXPECT_EQ(memory.size(), 3U);
  for (const ValueId id : memory) EXPECT_EQ(lowered.value(id).kind, ValueKind::kComputed);
}

TEST(LoweringTest, WrongGraphsAreConfigErrors) {
  const auto expect_wrong = [](const std::function<void(GraphUnderTest&)>& build) {
    GraphUnderTest graph;
    build(graph);
    EXPECT_THROW((void)lower(graph.builder), ConfigError);
  };
  expect_wrong([](auto& g) { g.weight("w", Shape({3})).output("w"); });
  expect_wrong([](auto& g) { g.input("x", Shape({kRows, 3})); });
  expect_wrong([](auto& g) { g.input("x", Shape({4, 3})).output("x"); });
  expect_wrong([](auto& g) { g.input("x", Shape()).output("x"); });
  expect_wrong([](auto& g) { g.input("x", Shape({kRows, kRows})).output("x"); });
  expect_wrong([](auto& g) { g.input("x", Shape({kRows, 0})).output("x"); });
  expect_wrong(
      [](auto& g) { g.input("x", Shape({kRows, 3})).input("z", Shape({1, 3})).output("x"); });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, int64_t{1} << 30, int64_t{1} << 30})).output("x");
  });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, 3})).weight("w", Shape({4, 5})).node("MatMul", {"x", "w"}, "y");
    g.output("y");
  });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, 3})).weight("w", Shape({4})).node("Add", {"x", "w"}, "y");
    g.output("y");
  });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, 4, 8, 8})).weight("w", Shape({6, 3, 3, 3}));
    g.node("Conv", {"x", "w"}, "y").output("y");
  });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, 4, 8, 8}));
    g.node("MaxPool", {"x"}, "y", {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{2, 0, 2, 0}}});
    g.output("y");
  });
  expect_wrong([](auto& g) {
    g.input("x", Shape({kRows, 20})).constant("s", integers({0, 3, -1}));
    g.node("Reshape", {"x", "s"}, "y").output("y");
  });
}

}  // namespace
}  // namespace inferometer
