// What recording costs a request: everything the engine writes for it, its share of what it writes
// for the batch, and the clock reads that measure recording itself. One thread, no lock; the
// `allocations` counter is what operator new was called for during the loop.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <string>

#include "inferometer/clock.h"
#include "inferometer/registry.h"
#include "serving/recorder.h"

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
  return {zero, zero, zero, zero};
}

RecorderOptions options() {
  RecorderOptions options;
  options.name = std::string("bench");
  options.version = std::string("1");
  options.latency_objective_ns = 1'000'000;
  return options;
}

// Different latencies from one request to the next, so that no branch predictor learns them.
int64_t next_latency(uint64_t& state) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return static_cast<int64_t>((state >> 33) % 20'000'000);
}

void record_batch_of(benchmark::State& state) {
  const auto registry = Registry::create();
  Recorder recorder(registry, options(), no_readings(), steady_clock());
  const int64_t rows = state.range(0);
  uint64_t random = 1;
  Timing timing;
  allocations = 0;
  for ([[maybe_unused]] auto _ : state) {
    const OwnTime::Stretch recording = recorder.begin_recording(static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) {
      timing.total_ns = next_latency(random);
      timing.queue_ns = timing.total_ns / 2;
      recorder.record_request(Outcome::kSuccess, timing);
    }
    recorder.record_batch({ReleaseReason::kIdle, rows, 0, timing.total_ns, 0, rows, rows});
    recorder.end_recording(recording);
  }
  state.counters["allocations"] = static_cast<double>(allocations);
  state.counters["per_request"] =
      benchmark::Counter(static_cast<double>(state.iterations() * rows),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  // What the recorder says of itself, to compare with per_request.
  state.counters["self_measured"] = 1e-9 * static_cast<double>(recorder.totals().telemetry_ns) /
                                    static_cast<double>(state.iterations() * rows);
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK(record_batch_of)->Arg(1)->Arg(8)->Arg(16)->Arg(64);

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
