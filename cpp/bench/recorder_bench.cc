// What recording costs a request: everything the engine writes for it, its share of what it writes
// for the batch, and the clock reads that measure recording itself. One thread, no lock; the
// `allocations` counter is what operator new was called for during the loop. Beside it, the same
// numbers kept with prometheus-cpp, without clock reads.
#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/registry.h"
#include "serving/recorder.h"
#include "telemetry/catalogue.h"
#include "threaded_process.h"

namespace {

thread_local int64_t allocations = 0;

}  // namespace

// Not inlined: the compiler would otherwise see malloc() on one side and operator delete on the
// other.
[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace inferometer {
namespace {

LiveReadings no_readings() {
  const auto zero = [] { return 0.0; };
  return {zero, zero, zero, zero, zero, zero, zero};
}

constexpr int64_t kObjectiveNs = 1'000'000;

RecorderOptions options(const char* name = "bench", size_t instances = 1) {
  RecorderOptions options;
  options.name = std::string(name);
  options.version = std::string("1");
  options.latency_objective_ns = kObjectiveNs;
  options.instances = instances;
  return options;
}

// Different latencies from one request to the next, so that no branch predictor learns them.
int64_t next_latency(uint64_t& state) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return static_cast<int64_t>((state >> 33) % 20'000'000);
}

// Batches of so many rows on one of the recorder's instances. Returns what that allocated.
int64_t record_batches(benchmark::State& state, Recorder& recorder, size_t instance) {
  const int64_t rows = state.range(0);
  uint64_t random = 1;
  Timing timing;
  allocations = 0;
  for ([[maybe_unused]] auto _ : state) {
    const OwnTime::Stretch recording =
        recorder.begin_recording(instance, static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) {
      timing.total_ns = next_latency(random);
      timing.queue_ns = timing.total_ns / 2;
      recorder.record_request(instance, Outcome::kSuccess, timing);
    }
    recorder.record_batch(instance,
                          {ReleaseReason::kIdle, rows, 0, timing.total_ns, 0, rows, rows});
    recorder.end_recording(instance, recording);
  }
  const int64_t allocated = allocations;
  state.SetItemsProcessed(state.iterations() * rows);
  return allocated;
}

void record_batch_of(benchmark::State& state) {
  const auto registry = Registry::create();
  Recorder recorder(registry, options(), no_readings(), steady_clock());
  state.counters["allocations"] = static_cast<double>(record_batches(state, recorder, 0));
  const auto requests = static_cast<double>(state.items_processed());
  state.counters["per_request"] =
      benchmark::Counter(requests, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  // What the recorder says of itself, to compare with per_request.
  state.counters["self_measured"] =
      1e-9 * static_cast<double>(recorder.totals().telemetry_ns) / requests;
}
BENCHMARK(record_batch_of)->Arg(1)->Arg(8)->Arg(16)->Arg(64);

// Two instances of one engine, each on a thread of its own: the time of one batch of one of them,
// which is that of record_batch_of where each thread has a core.
void record_two_instances(benchmark::State& state) {
  static const auto registry = Registry::create();
  static Recorder recorder(registry, options("two", 2), no_readings(), steady_clock());
  record_batches(state, recorder, static_cast<size_t>(state.thread_index()));
}
BENCHMARK(record_two_instances)->Arg(1)->Arg(16)->Threads(2)->UseRealTime();

std::vector<double> as_doubles(std::span<const int64_t> bounds, double unit) {
  std::vector<double> values;
  for (const int64_t bound : bounds) values.push_back(static_cast<double>(bound) / unit);
  return values;
}

// What Recorder keeps for requests that succeed, in prometheus-cpp's metrics.
struct PrometheusRecorder {
  prometheus::Counter succeeded, request_us, queue_us, within_objective;
  prometheus::Histogram latency{as_doubles(kLatencyBounds, 1e9)};
  prometheus::Histogram queue{as_doubles(kLatencyBounds, 1e9)};
  prometheus::Counter batches, busy, inferences, input_us, infer_us, output_us;
  prometheus::Histogram compute{as_doubles(kLatencyBounds, 1e9)};
  prometheus::Histogram batch_size{as_doubles(kBatchSizeBounds, 1)};

  void record_request(int64_t total_ns, int64_t queue_ns) {
    succeeded.Increment();
    latency.Observe(1e-9 * static_cast<double>(total_ns));
    queue.Observe(1e-9 * static_cast<double>(queue_ns));
    request_us.Increment(1e-3 * static_cast<double>(total_ns));
    queue_us.Increment(1e-3 * static_cast<double>(queue_ns));
    if (total_ns <= kObjectiveNs) within_objective.Increment();
  }

  void record_batch(int64_t rows, int64_t compute_ns) {
    batches.Increment();
    compute.Observe(1e-9 * static_cast<double>(compute_ns));
    batch_size.Observe(static_cast<double>(rows));
    busy.Increment(1e-9 * static_cast<double>(compute_ns));
    inferences.Increment(static_cast<double>(rows));
    input_us.Increment(1);
    infer_us.Increment(1e-3 * static_cast<double>(compute_ns));
    output_us.Increment(1);
  }
};

void prometheus_record_batch_of(benchmark::State& state) {
  PrometheusRecorder recorder;
  const int64_t rows = state.range(0);
  uint64_t random = 1;
  for ([[maybe_unused]] auto _ : state) {
    int64_t total_ns = 0;
    for (int64_t i = 0; i < rows; ++i) {
      total_ns = next_latency(random);
      recorder.record_request(total_ns, total_ns / 2);
    }
    recorder.record_batch(rows, total_ns);
  }
  state.counters["per_request"] =
      benchmark::Counter(static_cast<double>(state.iterations() * rows),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(prometheus_record_batch_of)->Arg(1)->Arg(8)->Arg(16)->Arg(64);

Timing ended_after(int64_t ns) {
  Timing timing;
  timing.total_ns = timing.queue_ns = ns;
  return timing;
}

void record_ended_early(benchmark::State& state) {
  const auto registry = Registry::create();
  Recorder recorder(registry, options(), no_readings(), steady_clock());
  uint64_t random = 1;
  allocations = 0;
  for ([[maybe_unused]] auto _ : state) {
    recorder.record_ended_early(Outcome::kCancelled, ended_after(next_latency(random)));
  }
  state.counters["allocations"] = static_cast<double>(allocations);
}
BENCHMARK(record_ended_early);

void clock_read(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(steady_clock().now_ns());
}
BENCHMARK(clock_read);

}  // namespace
}  // namespace inferometer
