// What writing the text of many series costs, against prometheus-cpp in the same binary. The
// argument is the number of counters with two labels in each of a hundred families.
#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "inferometer/registry.h"
#include "threaded_process.h"

namespace inferometer {
namespace {

constexpr int kFamilies = 100;
constexpr int kSmall = 100;   // 10,000 series
constexpr int kLarge = 1000;  // 100,000 series

std::string with_number(std::string_view prefix, int i) {
  return std::string(prefix).append(std::to_string(i));
}

// Filled registries are kept: a benchmark's function is called several times.

using OurFill = void (*)(Registry& registry, int per_family);

const Registry& ours(OurFill fill, int per_family) {
  static std::map<std::pair<OurFill, int>, std::shared_ptr<Registry>> made;
  std::shared_ptr<Registry>& registry = made[{fill, per_family}];
  if (!registry) {
    registry = Registry::create();
    fill(*registry, per_family);
  }
  return *registry;
}

void fill_counters(Registry& registry, int per_family) {
  for (int family = 0; family < kFamilies; ++family) {
    const Counter counter =
        registry.counter(with_number("requests_", family), "Requests.", {"path", "code"});
    for (int i = 0; i < per_family; ++i) {
      counter.labels({with_number("/", i), "200"}).inc(family * i);
    }
  }
}

void fill_fractions(Registry& registry, int per_family) {
  for (int family = 0; family < kFamilies; ++family) {
    const Gauge gauge = registry.gauge(with_number("level_", family), "Level.", {"path", "code"});
    for (int i = 0; i < per_family; ++i) {
      gauge.labels({with_number("/", i), "200"}).set((family + i) / 7.0);
    }
  }
}

void render(benchmark::State& state, OurFill fill) {
  const Registry& registry = ours(fill, static_cast<int>(state.range(0)));
  size_t bytes = 0;
  for (auto _ : state) bytes = registry.render_text().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}

void BM_RenderCounters(benchmark::State& state) { render(state, fill_counters); }
BENCHMARK(BM_RenderCounters)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

// Seventeen digits each: the slowest numbers.
void BM_RenderFractions(benchmark::State& state) { render(state, fill_fractions); }
BENCHMARK(BM_RenderFractions)->Arg(kSmall)->Unit(benchmark::kMicrosecond);

const prometheus::Registry& theirs(int per_family) {
  static std::map<int, std::unique_ptr<prometheus::Registry>> made;
  std::unique_ptr<prometheus::Registry>& registry = made[per_family];
  if (!registry) {
    registry = std::make_unique<prometheus::Registry>();
    for (int family = 0; family < kFamilies; ++family) {
      auto& counter = prometheus::BuildCounter()
                          .Name(with_number("requests_", family).append("_total"))
                          .Help("Requests.")
                          .Register(*registry);
      for (int i = 0; i < per_family; ++i) {
        counter.Add({{"path", with_number("/", i)}, {"code", "200"}}).Increment(family * i);
      }
    }
  }
  return *registry;
}

void BM_PrometheusRenderCounters(benchmark::State& state) {
  const prometheus::Registry& registry = theirs(static_cast<int>(state.range(0)));
  const prometheus::TextSerializer serializer;
  size_t bytes = 0;
  for (auto _ : state) bytes = serializer.Serialize(registry.Collect()).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_PrometheusRenderCounters)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace inferometer
