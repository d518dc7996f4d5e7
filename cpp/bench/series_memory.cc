// What a series takes in memory:
//
//     series_memory inferometer|prometheus-cpp counter|histogram|native
//
// prints the bytes of resident memory (/proc/self/statm) that each of many series with two labels
// added to this process, which makes nothing else. Histograms have 21 bounds and ten observations;
// `native` ones have native buckets too, which prometheus-cpp does not know.
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

constexpr int kSeriesOfAFamily = 10'000;
constexpr int kObservations = 10;

int64_t resident_bytes() {
  int64_t total_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

std::string with_number(std::string_view prefix, int i) {
  return std::string(prefix).append(std::to_string(i));
}

std::string model_of(int i) { return with_number("model-", i / 10); }
std::string code_of(int i) { return std::to_string(200 + i % 10); }

// 1 ms to 1 s, over all buckets between.
double observation(int i) { return 0.001 * (1 << i); }

std::vector<double> bounds() {
  std::vector<double> seconds;
  seconds.reserve(kLatencyBounds.size());
  for (const int64_t bound : kLatencyBounds) seconds.push_back(static_cast<double>(bound) / 1e9);
  return seconds;
}

// What one family of a library and kind adds.
class Families {
 public:
  Families() = default;
  virtual ~Families() = default;
  Families(const Families&) = delete;
  Families& operator=(const Families&) = delete;
  virtual void add(const std::string& name, int series) = 0;
};

class OurCounters : public Families {
 public:
  void add(const std::string& name, int series) override {
    const Counter counter = registry_->counter(name, "Help.", {"model", "code"});
    for (int i = 0; i < series; ++i) counter.labels({model_of(i), code_of(i)}).inc();
  }

 private:
  const std::shared_ptr<Registry> registry_ = Registry::create();
};

class OurHistograms : public Families {
 public:
  explicit OurHistograms(bool native) : native_(native) {}

  void add(const std::string& name, int series) override {
    const Histogram histogram =
        registry_->histogram(name, "Help.", {"model", "code"}, bounds(), native_);
    for (int i = 0; i < series; ++i) {
      const Histogram child = histogram.labels({model_of(i), code_of(i)});
      for (int j = 0; j < kObservations; ++j) child.observe(observation(j));
    }
  }

 private:
  const bool native_;
  const std::shared_ptr<Registry> registry_ =
      Registry::create({.arena_bytes = size_t{1} << 30});  // room for the native buckets
};

class TheirCounters : public Families {
 public:
  void add(const std::string& name, int series) override {
    auto& counter = prometheus::BuildCounter().Name(name).Help("Help.").Register(registry_);
    for (int i = 0; i < series; ++i) {
      counter.Add({{"model", model_of(i)}, {"code", code_of(i)}}).Increment();
    }
  }

 private:
  prometheus::Registry registry_;
};

class TheirHistograms : public Families {
 public:
  void add(const std::string& name, int series) override {
    auto& histogram = prometheus::BuildHistogram().Name(name).Help("Help.").Register(registry_);
    for (int i = 0; i < series; ++i) {
      auto& child = histogram.Add({{"model", model_of(i)}, {"code", code_of(i)}}, bounds());
      for (int j = 0; j < kObservations; ++j) child.Observe(observation(j));
    }
  }

 private:
  prometheus::Registry registry_;
};

std::unique_ptr<Families> families(std::string_view library, std::string_view kind) {
  if (library == "inferometer") {
    if (kind == "counter") return std::make_unique<OurCounters>();
    if (kind == "histogram") return std::make_unique<OurHistograms>(false);
    if (kind == "native") return std::make_unique<OurHistograms>(true);
  } else if (library == "prometheus-cpp") {
    if (kind == "counter") return std::make_unique<TheirCounters>();
    if (kind == "histogram") return std::make_unique<TheirHistograms>();
  }
  throw std::invalid_argument("want inferometer|prometheus-cpp counter|histogram|native");
}

double bytes_a_series(std::string_view library, std::string_view kind) {
  const auto made = families(library, kind);
  made->add("first", 1);  // what a registry takes once
  const int families_to_add = kind == "counter" ? 9 : 1;
  const int64_t before = resident_bytes();
  for (int i = 0; i < families_to_add; ++i) {
    made->add(with_number("requests_", i), kSeriesOfAFamily);
  }
  return static_cast<double>(resident_bytes() - before) / (families_to_add * kSeriesOfAFamily);
}

}  // namespace
}  // namespace inferometer

int main(int argc, char** argv) {
  try {
    std::printf("%.1f\n",
                inferometer::bytes_a_series(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : ""));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
