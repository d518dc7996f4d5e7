// Simulated requests a second, from C++: one model, batches of 16, arrivals 125 us apart.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "inferometer/registry.h"
#include "inferometer/simulation.h"

namespace inferometer {
namespace {

constexpr int64_t kGapNs = 125'000;

// One arrival after the other, for ever.
class EvenArrivals final : public ArrivalSource {
 public:
  explicit EvenArrivals(bool timeouts) : timeouts_(timeouts) {}

  size_t read(std::span<SimulatedArrival> into) override {
    for (SimulatedArrival& arrival : into) {
      arrival = {.at_ns = next_ns_};
      if (timeouts_) arrival.timeout_ns = 10'000'000;
      next_ns_ += kGapNs;
    }
    return into.size();
  }

 private:
  const bool timeouts_;
  int64_t next_ns_ = 0;
};

void simulated(benchmark::State& state, bool timeouts) {
  SimulationOptions options;
  options.batching.max_batch_size = 16;
  options.batching.max_queue_delay_ns = 1'000'000;
  options.registry = Registry::create();
  Simulation simulation(options, std::make_unique<EvenArrivals>(timeouts),
                        [](int64_t rows) { return 1'000'000 + 10'000 * rows; });
  constexpr int64_t kRequests = 10'000;
  for (auto _ : state) simulation.advance(kRequests * kGapNs);
  state.SetItemsProcessed(state.iterations() * kRequests);
}
BENCHMARK_CAPTURE(simulated, plain, false);
BENCHMARK_CAPTURE(simulated, with_timeouts, true);

}  // namespace
}  // namespace inferometer
