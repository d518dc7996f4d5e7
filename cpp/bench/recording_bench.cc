// What recording one number costs, against prometheus-cpp in the same binary.
#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/registry.h"
#include "serving/recorder_natives.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/histogram_cells.h"
#include "telemetry/record/series.h"
#include "threaded_process.h"

namespace inferometer {
namespace {

using Latencies = std::array<int64_t, 65536>;

// 0.1 ms to 5 ms, in no order that a branch predictor can learn.
const Latencies& latencies_ns() {
  static const Latencies values = [] {
    Latencies made{};
    uint64_t state = 1;
    for (int64_t& value : made) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      value = 100'000 + static_cast<int64_t>(state >> 44U) * 5;
    }
    return made;
  }();
  return values;
}

std::vector<double> latency_bounds_seconds() {
  std::vector<double> bounds;
  bounds.reserve(kLatencyBounds.size());
  for (const int64_t bound : kLatencyBounds) bounds.push_back(static_cast<double>(bound) / 1e9);
  return bounds;
}

const std::shared_ptr<Registry>& registry() {
  static const std::shared_ptr<Registry> instance = Registry::create();
  return instance;
}

void BM_BucketIndex(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        bucket_index<int64_t>(kLatencyBounds, latencies_ns()[i++ % latencies_ns().size()]));
  }
}
BENCHMARK(BM_BucketIndex);

void BM_CounterSingleWriter(benchmark::State& state) {
  Word* const stripe = registry()->allocate_words(1);  // one for each thread
  for (auto _ : state) add_single_writer(*stripe, 1);
  registry()->free_words(stripe, 1);
}
BENCHMARK(BM_CounterSingleWriter)->Threads(1)->Threads(2);

void BM_CounterShared(benchmark::State& state) {
  static Word* const cell = registry()->allocate_words(1);
  for (auto _ : state) add_shared(*cell, 1);
}
BENCHMARK(BM_CounterShared)->Threads(1)->Threads(2);

void BM_AppCounterInc(benchmark::State& state) {
  static const Counter counter = registry()->counter("bench", "Bench.", {"path"}).labels({"/"});
  for (auto _ : state) counter.inc();
}
BENCHMARK(BM_AppCounterInc)->Threads(1)->Threads(2);

void BM_PrometheusCounterIncrement(benchmark::State& state) {
  static prometheus::Counter counter;
  for (auto _ : state) counter.Increment();
}
BENCHMARK(BM_PrometheusCounterIncrement)->Threads(1)->Threads(2);

void BM_HistogramSingleWriter(benchmark::State& state) {
  const size_t words = stripe_words(Metric::kLatency);
  Word* const stripe = registry()->allocate_words(words);
  size_t i = 0;
  for (auto _ : state) {
    observe_single_writer(stripe, kLatencyBounds, latencies_ns()[i++ % latencies_ns().size()]);
  }
  registry()->free_words(stripe, words);
}
BENCHMARK(BM_HistogramSingleWriter)->Threads(1)->Threads(2);

// As an engine's thread records a latency with native_histograms: its own words for the classic
// buckets, its own cells for the native ones.
void BM_HistogramWithNativeSingleWriter(benchmark::State& state) {
  const size_t words = stripe_words(Metric::kLatency);
  Word* const stripe = registry()->allocate_words(words);
  RecorderNatives natives;
  natives.attach(RecorderNatives::kLatency, registry()->acquire(Metric::kLatency, {"bench"}, true),
                 1);
  size_t i = 0;
  for (auto _ : state) {
    const int64_t latency = latencies_ns()[i++ % latencies_ns().size()];
    observe_single_writer(stripe, kLatencyBounds, latency);
    natives.observe(RecorderNatives::kLatency, 0, latency);
  }
  natives.detach();
  registry()->free_words(stripe, words);
}
BENCHMARK(BM_HistogramWithNativeSingleWriter)->Threads(1)->Threads(2);

void BM_HistogramShared(benchmark::State& state) {
  static Word* const stripe = registry()->allocate_words(stripe_words(Metric::kLatency));
  size_t i = 0;
  for (auto _ : state) {
    observe_shared(stripe, kLatencyBounds, latencies_ns()[i++ % latencies_ns().size()]);
  }
}
BENCHMARK(BM_HistogramShared)->Threads(1)->Threads(2);

void observe_app_histogram(benchmark::State& state, const Histogram& histogram) {
  size_t i = 0;
  for (auto _ : state) {
    histogram.observe(static_cast<double>(latencies_ns()[i++ % latencies_ns().size()]) * 1e-9);
  }
}

void BM_AppHistogramObserve(benchmark::State& state) {
  static const Histogram histogram =
      registry()->histogram("bench_seconds", "Bench.", {}, latency_bounds_seconds());
  observe_app_histogram(state, histogram);
}
BENCHMARK(BM_AppHistogramObserve)->Threads(1)->Threads(2);

void BM_AppHistogramWithNativeObserve(benchmark::State& state) {
  static const Histogram histogram =
      registry()->histogram("bench_native_seconds", "Bench.", {}, latency_bounds_seconds(), true);
  observe_app_histogram(state, histogram);
}
BENCHMARK(BM_AppHistogramWithNativeObserve)->Threads(1)->Threads(2);

void BM_PrometheusHistogramObserve(benchmark::State& state) {
  static prometheus::Histogram histogram{latency_bounds_seconds()};
  size_t i = 0;
  for (auto _ : state) {
    histogram.Observe(static_cast<double>(latencies_ns()[i++ % latencies_ns().size()]) * 1e-9);
  }
}
BENCHMARK(BM_PrometheusHistogramObserve)->Threads(1)->Threads(2);

void BM_LabelsOfAKnownSeries(benchmark::State& state) {
  const auto own = Registry::create();
  const Counter family = own->counter("hits", "Hits.", {"method", "path", "code"});
  family.labels({"GET", "/", "200"}).inc();
  for (auto _ : state) family.labels({"GET", "/", "200"}).inc();
}
BENCHMARK(BM_LabelsOfAKnownSeries);

void BM_PrometheusAddOfAKnownSeries(benchmark::State& state) {
  prometheus::Registry own;
  auto& family = prometheus::BuildCounter().Name("hits_total").Help("Hits.").Register(own);
  for (auto _ : state) {
    family.Add({{"method", "GET"}, {"path", "/"}, {"code", "200"}}).Increment();
  }
}
BENCHMARK(BM_PrometheusAddOfAKnownSeries);

}  // namespace
}  // namespace inferometer
