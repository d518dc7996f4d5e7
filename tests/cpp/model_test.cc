#include "inferometer/model.h"

#include <gtest/gtest.h>

#include <thread>

#include "backend/cpu_isa.h"
#include "graph_under_test.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

GraphUnderTest mlp() {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 16})).weight("w", Shape({16, 24})).weight("b", Shape({24}));
  graph.weight("v", Shape({3, 24})).node("MatMul", {"x", "w"}, "m").node("Add", {"m", "b"}, "a");
  graph.node("Relu", {"a"}, "r").node("Gemm", {"r", "v"}, "g", {{"transB", int64_t{1}}});
  graph.node("Softmax", {"g"}, "y").output("y");
  return graph;
}

TEST(ModelTest, SaysWhatItRunsAndWhere) {
  const Model model = Model::compile(mlp().builder, {.cpu_isa = std::string(cpu_isas()[0].name)});
  EXPECT_EQ(model.steps(), (std::vector<std::string>{"MatMul+Add+Relu", "Gemm", "Softmax"}));
  EXPECT_EQ(model.device(), "cpu (" + std::string(cpu_isas()[0].description) + ")");
  EXPECT_EQ(model.inputs()[0].shape, Shape({-1, 16}));
  EXPECT_EQ(model.outputs()[0].shape, Shape({-1, 3}));
}

TEST(ModelTest, AllInstructionSetsAgree) {
  std::mt19937 generator(1);
  const Tensor x = random_tensor(Shape({7, 16}), generator);
  std::vector<float> first;
  for (const CpuIsa& isa : cpu_isas()) {
    if (!isa.runs_here) continue;
    const Model model = Model::compile(mlp().builder, {.cpu_isa = std::string(isa.name)});
    const std::vector<float> answer = floats(run(*model.make_executable(), x));
    if (first.empty()) first = answer;
    for (size_t i = 0; i < answer.size(); ++i) EXPECT_NEAR(answer[i], first[i], 1e-5);
  }
}

TEST(ModelTest, KnowsHowLongCompilingTook) {
  const int64_t start = steady_clock().now_ns();
  const Model model = Model::compile(mlp().builder);
  const int64_t most = steady_clock().now_ns() - start;
  EXPECT_GT(model.make_executable()->load_ns(), 0);
  EXPECT_LE(model.make_executable()->load_ns(), most);
}

TEST(ModelTest, UnknownInstructionSetsAreErrors) {
  EXPECT_THROW((void)Model::compile(mlp().builder, {.cpu_isa = "v9"}), ConfigError);
}

TEST(ModelTest, InstancesRunAtTheSameTimeAndOutliveTheModel) {
  std::vector<std::shared_ptr<Executable>> instances;
  {
    const Model model = Model::compile(mlp().builder);
    for (int i = 0; i < 4; ++i) instances.push_back(model.make_executable(8));
  }
  std::mt19937 generator(1);
  const Tensor x = random_tensor(Shape({8, 16}), generator);
  const std::vector<float> want = floats(run(*instances[0], x));
  std::vector<int> wrong(instances.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < instances.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round) {
        if (floats(run(*instances[i], x)) != want) ++wrong[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(instances.size()));
}

}  // namespace
}  // namespace inferometer
