// Threads that call `tiny` (64->256->256->10) in turn: through an engine, and bare behind a mutex.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "blocking_call.h"
#include "closed_loop.h"
#include "direct_batch.h"
#include "inferometer/engine.h"
#include "inferometer/registry.h"
#include "network.h"

namespace inferometer {
namespace {

constexpr std::chrono::milliseconds kLength(200);

void report(benchmark::State& state, const ClosedLoop& seen) {
  state.SetIterationTime(1 / seen.calls_per_second);
  state.counters["calls_per_second"] = seen.calls_per_second;
  state.counters["p50_seconds"] = seen.p50_seconds;
  state.counters["p99_seconds"] = seen.p99_seconds;
  state.counters["slowest_share"] = seen.slowest_share;
}

void engine_threads(benchmark::State& state) {
  const Model model = perceptron(64, 256);
  EngineOptions options;
  options.name = "bench";
  options.registry = Registry::create();
  Engine engine(model.make_executable(options.batching.max_batch_size), options);
  const Tensor row = random_tensor(Shape({1, 64}));
  const std::vector<NamedInput> inputs = {{"x", row.view()}};
  for ([[maybe_unused]] auto _ : state) {
    report(state, closed_loop(static_cast<size_t>(state.range(0)), kLength, [&] {
             return [&engine, &inputs, answer = KeptAnswer()]() mutable {
               blocking_call(engine, inputs, answer);
             };
           }));
  }
}

void mutex_threads(benchmark::State& state) {
  const Model model = perceptron(64, 256);
  const std::shared_ptr<Executable> executable = model.make_executable(1);
  std::mutex mutex;
  for ([[maybe_unused]] auto _ : state) {
    report(state, closed_loop(static_cast<size_t>(state.range(0)), kLength, [&] {
             const auto batch =
                 std::make_shared<DirectBatch>(model.inputs()[0], model.outputs()[0], 1);
             return [&, batch] {
               const std::lock_guard lock(mutex);
               executable->run(*batch);
             };
           }));
  }
}

void counts(benchmark::internal::Benchmark* bench) {
  for (const int threads : {2, 16, 64}) bench->Arg(threads);
  bench->Iterations(1)->UseManualTime();
}
BENCHMARK(engine_threads)->Apply(counts);
BENCHMARK(mutex_threads)->Apply(counts);

}  // namespace
}  // namespace inferometer
