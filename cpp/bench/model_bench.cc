// What computing costs, per row, for each instruction set: the small residual network of
// model_repository/resnet_model (same shapes, other weights) and two perceptrons.
#include <benchmark/benchmark.h>

#include <string>

#include "backend/cpu_isa.h"
#include "direct_batch.h"
#include "inferometer/model.h"
#include "network.h"

namespace inferometer {
namespace {

Model resnet(const std::string& isa) {
  Network network(Shape({-1, 1, 8, 8}));
  std::string x = network.node("Relu", {network.conv("x", 1, 32, 3, 1)});
  x = network.block(x, 32, 32, 1);
  x = network.block(x, 32, 64, 2);
  x = network.block(x, 64, 64, 1);
  x = network.node("Flatten", {network.node("GlobalAveragePool", {x})});
  return network.compile(network.node("Softmax", {network.dense(x, 64, 10)}), isa);
}

Model tiny(const std::string& isa) { return perceptron(64, 256, isa); }
Model mid(const std::string& isa) { return perceptron(784, 1024, isa); }

/// Arguments: which instruction set, how many rows.
void run(benchmark::State& state, Model (*make)(const std::string&)) {
  const auto index = static_cast<size_t>(state.range(0));
  if (index >= cpu_isas().size() || !cpu_isas()[index].runs_here) {
    state.SkipWithError("this processor does not run it");
    return;
  }
  const std::string isa(cpu_isas()[index].name);
  const Model model = make(isa);
  const int64_t rows = state.range(1);
  const auto executable = model.make_executable(rows);
  DirectBatch batch(model.inputs()[0], model.outputs()[0], rows);
  for ([[maybe_unused]] auto _ : state) executable->run(batch);
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetLabel(isa);
}

BENCHMARK_CAPTURE(run, resnet, resnet)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});
BENCHMARK_CAPTURE(run, tiny, tiny)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});
BENCHMARK_CAPTURE(run, mid, mid)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});

}  // namespace
}  // namespace inferometer
