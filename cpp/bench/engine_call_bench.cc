// What the engine adds to a model that does nothing, from C++: a lone blocking caller beside the
// bare model, and many requests in flight from one thread.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "blocking_call.h"
#include "direct_batch.h"
#include "inferometer/engine.h"
#include "inferometer/registry.h"
#include "threaded_process.h"

namespace inferometer {
namespace {

class Echo final : public Executable {
 public:
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return specs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return specs_; }
  [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
  void run(Batch& batch) override {
    const TensorView& input = batch.inputs()[0];
    const MutableTensorView output = batch.allocate_output(0, input.dtype, input.shape);
    std::memcpy(output.data, input.data, input.bytes());
  }

 private:
  const std::vector<TensorSpec> specs_ = {{"x", DType::kFloat32, Shape({-1, 64})}};
};

EngineOptions options(bool recording) {
  EngineOptions options;
  options.name = "bench";
  if (recording) options.registry = Registry::create();
  return options;
}

const std::array<float, 64> kRow{};

std::vector<NamedInput> one_row() {
  return {{"x", {DType::kFloat32, Shape({1, 64}), reinterpret_cast<const std::byte*>(&kRow)}}};
}

void lone_bare(benchmark::State& state) {
  Echo echo;
  Executable& model = echo;
  benchmark::DoNotOptimize(model);  // a virtual call, as the engine's is
  DirectBatch batch(model.inputs()[0], model.outputs()[0], 1);
  for ([[maybe_unused]] auto _ : state) {
    model.run(batch);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(lone_bare)->UseRealTime();

void lone_call(benchmark::State& state) {
  Engine engine(std::make_shared<Echo>(), options(state.range(0) != 0));
  const auto inputs = one_row();
  KeptAnswer answer;
  for ([[maybe_unused]] auto _ : state) {
    blocking_call(engine, inputs, answer);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(lone_call)->ArgName("recording")->Arg(0)->Arg(1)->UseRealTime();

void in_flight(benchmark::State& state) {
  Engine engine(std::make_shared<Echo>(), options(state.range(1) != 0));
  const auto inputs = one_row();
  std::vector<std::shared_ptr<Request>> requests(static_cast<size_t>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) {
    for (auto& request : requests) request = engine.submit(inputs);
    for (auto& request : requests) (void)request->wait();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(in_flight)
    ->ArgNames({"requests", "recording"})
    ->ArgsProduct({{64}, {0, 1}})
    ->UseRealTime();

}  // namespace
}  // namespace inferometer
