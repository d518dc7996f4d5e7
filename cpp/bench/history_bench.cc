// What a sample of a history costs, and what it holds the registry's lock for.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/record/histogram_cells.h"
#include "telemetry/record/history_core.h"
#include "telemetry/record/history_rings.h"
#include "telemetry/record/history_sink.h"
#include "telemetry/record/registry_core.h"

namespace inferometer {
namespace {

constexpr HistoryOptions kRoomy{.max_bytes = int64_t{1} << 30};

// A registry with so many series of one metric. Single-owner.
struct Filled {
  Filled(Metric metric, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const std::string model = "model-" + std::to_string(i);
      const std::string_view value = model;
      held.push_back(registry->family(metric).get({&value, 1}));
      if (metric == Metric::kLatency) {
        observe_shared(held.back()->base(), kLatencyBounds, 1'000'000 * (i + 1));
      } else {
        add_shared(*held.back()->base(), static_cast<uint64_t>(i));
      }
    }
  }
  const std::shared_ptr<RegistryCore> registry = std::make_shared<RegistryCore>(RegistryOptions{});
  std::vector<std::shared_ptr<Series>> held;
};

// A whole sample, in a ring that has gone round: all memory is there, none of it is in a cache.
void sample(benchmark::State& state, Metric metric) {
  const Filled filled(metric, state.range(0));
  HistoryCore history(filled.registry, kRoomy, {});
  for (size_t i = 0; i < kRoomy.samples(); ++i) history.sample();
  for (auto _ : state) history.sample();
  const HistoryStats stats = history.stats();
  state.counters["series"] = static_cast<double>(stats.series);
  state.counters["bytes"] = static_cast<double>(stats.bytes);
  if (stats.left_out != 0) state.SkipWithError("max_bytes is too small for this bench");
}

void BM_SampleGauges(benchmark::State& state) { sample(state, Metric::kQueueDepth); }
BENCHMARK(BM_SampleGauges)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void BM_SampleLatencyHistograms(benchmark::State& state) { sample(state, Metric::kLatency); }
BENCHMARK(BM_SampleLatencyHistograms)->Arg(1000)->Unit(benchmark::kMicrosecond);

// The first one also makes the rings.
void BM_FirstSampleGauges(benchmark::State& state) {
  const Filled filled(Metric::kQueueDepth, state.range(0));
  for (auto _ : state) {
    HistoryCore history(filled.registry, kRoomy, {});
    history.sample();
  }
}
BENCHMARK(BM_FirstSampleGauges)->Arg(1000)->Unit(benchmark::kMicrosecond);

// The part of it that labels(), new engines and scrapes wait for. Recording never does.
void under_lock(benchmark::State& state, Metric metric) {
  const Filled filled(metric, state.range(0));
  HistoryRings rings(kRoomy.samples(), static_cast<size_t>(kRoomy.max_bytes));
  HistorySink sink(rings);
  filled.registry->visit_catalogue(sink);
  for (auto _ : state) {
    sink.begin();
    filled.registry->visit_catalogue(sink);
  }
}

void BM_WalkGauges(benchmark::State& state) { under_lock(state, Metric::kQueueDepth); }
BENCHMARK(BM_WalkGauges)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void BM_WalkLatencyHistograms(benchmark::State& state) { under_lock(state, Metric::kLatency); }
BENCHMARK(BM_WalkLatencyHistograms)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_ReadAQuarterOfAnHour(benchmark::State& state) {
  const Filled filled(Metric::kQueueDepth, 1000);
  HistoryCore history(filled.registry, kRoomy, {});
  for (size_t i = 0; i < kRoomy.samples(); ++i) history.sample();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        history.curve("inference_queue_depth", {{"model_name", "model-500"}}, 1e9));
  }
}
BENCHMARK(BM_ReadAQuarterOfAnHour)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace inferometer
