#include "model/fusion.h"

#include <gtest/gtest.h>

#include "graph_under_test.h"

namespace inferometer {
namespace {

/// Compiles with and without fusion, compares answers on random rows, returns the fused steps.
std::vector<std::string> fused_steps(const GraphUnderTest& graph) {
  const Model plain = Model::compile(graph.builder, {.fuse = false});
  const Model fused = Model::compile(graph.builder);
  std::mt19937 generator(3);
  TestBatch expected([&] {
    std::vector<Tensor> inputs;
    for (const TensorSpec& spec : plain.inputs()) {
      Shape shape = spec.shape;
      shape.set(0, 5);
      inputs.push_back(random_tensor(shape, generator));
    }
    return inputs;
  }());
  std::vector<Tensor> copies;
  for (const TensorView& view : expected.inputs()) copies.push_back(Tensor::copy_of(view));
  TestBatch got(std::move(copies));
  plain.make_executable()->run(expected);
  fused.make_executable()->run(got);
  EXPECT_EQ(expected.outputs.size(), got.outputs.size());
  for (size_t i = 0; i < expected.outputs.size(); ++i) {
    EXPECT_EQ(expected.outputs[i].shape(), got.outputs[i].shape());
    const std::vector<float> want = floats(expected.outputs[i]);
    const std::vector<float> values = floats(got.outputs[i]);
    for (size_t k = 0; k < want.size(); ++k) {
      EXPECT_NEAR(values[k], want[k], 1e-5 * (1 + std::abs(want[k]))) << "element " << k;
    }
  }
  return fused.steps();
}

using Steps = std::vector<std::string>;

GraphUnderTest image_graph() {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 4, 6, 6})).weight("w", Shape({4, 4, 3, 3})).weight("b", Shape({4}));
  graph.positive("scale", Shape({4})).weight("shift", Shape({4})).weight("mean", Shape({4}));
  graph.positive("variance", Shape({4}));
  return graph;
}

const std::map<std::string, Attribute> kSame = {{"pads", Ints{1, 1, 1, 1}}};
const std::vector<std::string> kNorm = {"c", "scale", "shift", "mean", "variance"};

TEST(FusionTest, FoldsNormalisationIntoAConvolution) {
  for (const std::vector<std::string>& inputs :
       {std::vector<std::string>{"x", "w"}, std::vector<std::string>{"x", "w", "b"}}) {
    GraphUnderTest graph = image_graph();
    graph.node("Conv", inputs, "c").node("BatchNormalization", kNorm, "n", {{"epsilon", 0.01}});
    graph.node("Relu", {"n"}, "y").output("y");
    EXPECT_EQ(fused_steps(graph), (Steps{"Conv+BatchNormalization+Relu"}));
  }
}

TEST(FusionTest, NormalisationAloneTakesRelu) {
  GraphUnderTest graph = image_graph();
  graph.node("BatchNormalization", {"x", "scale", "shift", "mean", "variance"}, "n");
  graph.node("Relu", {"n"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"BatchNormalization+Relu"}));
}

TEST(FusionTest, AConstantPerChannelBecomesTheBias) {
  for (const Shape& shape : {Shape({4, 1, 1}), Shape({1, 4, 1, 1}), Shape({1}), Shape()}) {
    GraphUnderTest graph = image_graph();
    graph.weight("k", shape).node("Conv", {"x", "w", "b"}, "c").node("Add", {"k", "c"}, "y");
    graph.output("y");
    EXPECT_EQ(fused_steps(graph), (Steps{"Conv+Add"}));
  }
}

TEST(FusionTest, AnotherConstantStaysAnAddition) {
  for (const Shape& shape : {Shape({4}), Shape({4, 4, 1}), Shape({4, 4, 4})}) {
    GraphUnderTest graph = image_graph();
    graph.weight("k", shape).node("Conv", {"x", "w"}, "c").node("Add", {"c", "k"}, "y");
    graph.output("y");
    EXPECT_EQ(fused_steps(graph), (Steps{"Conv", "Add"}));
  }
}

TEST(FusionTest, AShortcutIsAddedByTheConvolution) {
  GraphUnderTest graph = image_graph();
  graph.weight("w2", Shape({4, 4, 3, 3}));
  graph.node("Conv", {"x", "w"}, "c1", kSame).node("Relu", {"c1"}, "r1");
  graph.node("Conv", {"r1", "w2"}, "c2", kSame).node("Add", {"c2", "x"}, "a");
  graph.node("Relu", {"a"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv+Relu", "Conv+Add+Relu"}));
}

TEST(FusionTest, AShortcutComputedLaterIsReadWhereItIsComputed) {
  GraphUnderTest graph = image_graph();
  graph.weight("w2", Shape({4, 4, 3, 3}));
  graph.node("Conv", {"x", "w"}, "c1", kSame).node("Conv", {"x", "w2"}, "c2", kSame);
  graph.node("Softmax", {"c2"}, "s").node("Add", {"c1", "s"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv", "Softmax", "Conv+Add"}));
}

TEST(FusionTest, WhatIsReadTwiceIsNotTakenOver) {
  GraphUnderTest graph = image_graph();
  graph.node("Conv", {"x", "w"}, "c", kSame).node("Relu", {"c"}, "r");
  graph.node("Add", {"c", "c"}, "d").node("Add", {"r", "d"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv", "Relu", "Add", "Add"}));
  GraphUnderTest output = image_graph();
  output.node("Conv", {"x", "w"}, "c").node("Relu", {"c"}, "y").output("c").output("y");
  EXPECT_EQ(fused_steps(output), (Steps{"Conv", "Relu"}));
}

TEST(FusionTest, AnActivationEndsAFusion) {
  GraphUnderTest graph = image_graph();
  graph.node("Conv", {"x", "w"}, "c").node("Relu", {"c"}, "r");
  graph.node("BatchNormalization", {"r", "scale", "shift", "mean", "variance"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv+Relu", "BatchNormalization"}));
}

TEST(FusionTest, NormalisationOfAShortcutSumIsKept) {
  GraphUnderTest graph = image_graph();
  graph.node("Conv", {"x", "w"}, "c1", kSame).node("Add", {"c1", "x"}, "c");
  graph.node("BatchNormalization", kNorm, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv+Add", "BatchNormalization"}));
}

TEST(FusionTest, ProductsTakeBiasAndRelu) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 3, 5})).weight("w", Shape({5, 7})).weight("b", Shape({7}));
  graph.node("MatMul", {"x", "w"}, "m").node("Add", {"m", "b"}, "a").node("Relu", {"a"}, "y");
  graph.output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"MatMul+Add+Relu"}));
  GraphUnderTest gemm;
  gemm.input("x", Shape({-1, 5})).weight("w", Shape({7, 5})).weight("c", Shape({1, 7}));
  gemm.node("Gemm", {"x", "w", "c"}, "g", {{"transB", int64_t{1}}, {"alpha", 0.5}, {"beta", 2.0}});
  gemm.node("Relu", {"g"}, "y").output("y");
  EXPECT_EQ(fused_steps(gemm), (Steps{"Gemm+Relu"}));
}

TEST(FusionTest, ABiasThatWidensTheResultStaysAnAddition) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 1, 5})).weight("w", Shape({5, 7})).weight("b", Shape({3, 7}));
  graph.node("MatMul", {"x", "w"}, "m").node("Add", {"m", "b"}, "y").output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"MatMul", "Add"}));
}

TEST(FusionTest, ViewsBetweenAreSeenThrough) {
  GraphUnderTest graph = image_graph();
  graph.node("Conv", {"x", "w"}, "c").node("Flatten", {"c"}, "f").node("Relu", {"f"}, "y");
  graph.output("y");
  EXPECT_EQ(fused_steps(graph), (Steps{"Conv+Relu"}));
  GraphUnderTest reshaped = image_graph();
  reshaped.weight("k", Shape({64})).node("Conv", {"x", "w"}, "c").node("Flatten", {"c"}, "f");
  reshaped.node("Add", {"f", "k"}, "y").output("y");
  EXPECT_EQ(fused_steps(reshaped), (Steps{"Conv", "Add"}));
}

}  // namespace
}  // namespace inferometer
