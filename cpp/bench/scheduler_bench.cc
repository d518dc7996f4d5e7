// What a request costs in the scheduler, without threads, locks or a model: the decision about a
// batch, and a request's way from accept() to the batch that next() gives.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <vector>

#include "inferometer/batching.h"
#include "inferometer/request.h"
#include "serving/batch_policy.h"
#include "serving/buffer_pool.h"
#include "serving/scheduler.h"

namespace inferometer {
namespace {

// How many rows a request has is its engine's business; a bench that stands in for the engine
// reaches the field the one way the language leaves: an explicit instantiation may name it.
template <auto kMember>
struct Reach {
  friend constexpr auto rows_member() { return kMember; }
};
constexpr auto rows_member();
template struct Reach<&Request::rows_>;

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kHour = 3'600'000'000'000;
constexpr int64_t kLevels = 4;

void report(benchmark::State& state, int64_t requests) {
  state.counters["per_request"] = benchmark::Counter(
      static_cast<double>(requests),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void decide(benchmark::State& state) {
  Batching batching;
  batching.max_queue_delay_ns = kHour;
  if (state.range(0) != 0) batching.preferred_batch_sizes = {4, 8, 16};
  BatchCandidate candidate{.requests = 3, .rows = 3, .oldest_arrival_ns = kNow};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(candidate);
    benchmark::DoNotOptimize(decide_batch(candidate, kNow, batching, false));
  }
}
BENCHMARK(decide)->ArgName("preferred")->Arg(0)->Arg(1);

// Every group gets one batch of requests, which arrive in turn; then all batches are taken.
void accept_and_next(benchmark::State& state) {
  const int64_t size = state.range(0);
  const int64_t groups = state.range(1);
  const bool urgency = state.range(2) != 0;
  Batching batching;
  batching.max_batch_size = size;
  if (urgency) batching.priority_levels = kLevels;
  Scheduler scheduler(batching, BufferPool::create(size_t{1} << 26));
  const std::shared_ptr<LoadedModel> model;
  const std::array<float, 64> row{};
  const TensorView input{DType::kFloat32, Shape({1, 64}),
                         reinterpret_cast<const std::byte*>(row.data())};
  std::vector<std::shared_ptr<Request>> requests(static_cast<size_t>(size * groups));
  for (auto& request : requests) {
    request = std::make_shared<Request>();
    (*request).*rows_member() = 1;
  }
  for ([[maybe_unused]] auto _ : state) {
    int64_t number = 0;
    for (const auto& request : requests) {
      Scheduler::Wish wish;
      if (urgency) {
        wish.level = 1 + number % kLevels;
        wish.timeout_ns = kHour + number;
      }
      scheduler.prepare(*request, wish);
      benchmark::DoNotOptimize(scheduler.refusal(*request));
      scheduler.accept(request, {&input, 1}, model, number % groups);
      ++number;
    }
    for (int64_t batch = 0; batch < groups; ++batch) {
      const Scheduler::Next next = scheduler.next(kNow, false);
      for (const auto& request : next.requests) scheduler.forget(*request);
    }
    if (!scheduler.empty()) state.SkipWithError("not all was released");
  }
  report(state, size * groups);
}
BENCHMARK(accept_and_next)
    ->ArgNames({"batch", "groups", "urgency"})
    ->ArgsProduct({{1, 16, 64}, {1, 8}, {0, 1}});

}  // namespace
}  // namespace inferometer
