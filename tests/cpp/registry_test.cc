#include "inferometer/registry.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"
#include "telemetry/catalogue.h"
#include "telemetry/record/refresher.h"
#include "telemetry/record/registry_core.h"
#include "telemetry/record/series.h"

namespace inferometer {
namespace {

// What the application added: the registry's own families come first and end with build_info.
std::string application_text(const Registry& registry) {
  const std::string text = registry.render_text();
  const size_t own = text.find("inferometer_build_info{");
  return text.substr(text.find('\n', own) + 1);
}

TEST(RegistryTest, GoldenText) {
  const auto registry = Registry::create();
  const Counter hits =
      registry->counter("http_requests", "Requests\nby \"path\" \\ code.", {"path", "code"});
  const Gauge level = registry->gauge("level", "");
  const Histogram wait =
      registry->histogram("wait_seconds", "Wait.", {"queue"}, std::vector<double>{0.00005, 1, 1e6});
  (void)registry->counter("unused_total", "No series yet.", {"x"});
  hits.labels({"/a\"\\\n", "200"}).inc(3);
  hits.labels({"/\xc3\xa9", "500"}).inc(1e7);
  level.set(-0.5);
  wait.labels({"fast"}).observe(0.25);
  wait.labels({"fast"}).observe(2);
  EXPECT_EQ(application_text(*registry), R"(# HELP http_requests_total Requests\nby "path" \\ code.
# TYPE http_requests_total counter
http_requests_total{path="/a\"\\\n",code="200"} 3.0
http_requests_total{path="/)"
                                         "\xc3\xa9"
                                         R"(",code="500"} 1e+07
)"
                                         "# HELP level \n"
                                         R"(# TYPE level gauge
level -0.5
# HELP wait_seconds Wait.
# TYPE wait_seconds histogram
wait_seconds_bucket{queue="fast",le="5e-05"} 0
wait_seconds_bucket{queue="fast",le="1.0"} 1
wait_seconds_bucket{queue="fast",le="1e+06"} 2
wait_seconds_bucket{queue="fast",le="+Inf"} 2
wait_seconds_sum{queue="fast"} 2.25
wait_seconds_count{queue="fast"} 2
)");
}

TEST(RegistryTest, TellsAboutItself) {
  const auto registry = Registry::create();
  EXPECT_EQ(registry->sample_value("inferometer_dropped_series_total"), 0);
  EXPECT_EQ(registry->sample_value("inferometer_collector_errors_total"), 0);
  const std::string text = registry->render_text();
  EXPECT_NE(text.find("# HELP inferometer_build_info "), std::string::npos);
  EXPECT_NE(text.find("inferometer_build_info{version=\""), std::string::npos);
}

TEST(RegistryTest, NamesMustNotCollide) {
  const auto registry = Registry::create();
  (void)registry->counter("hits", "");
  (void)registry->histogram("wait", "");
  EXPECT_THROW((void)registry->counter("hits_total", ""), ConfigError);
  EXPECT_THROW((void)registry->gauge("hits", ""), ConfigError);
  EXPECT_THROW((void)registry->gauge("wait_count", ""), ConfigError);
  EXPECT_THROW((void)registry->gauge("wait_bucket", ""), ConfigError);
  EXPECT_THROW((void)registry->histogram("inference_latency_seconds", ""), ConfigError);
  EXPECT_THROW((void)registry->gauge("inference_latency_seconds_sum", ""), ConfigError);
  EXPECT_THROW((void)registry->counter("inference_requests", ""), ConfigError);
  (void)registry->gauge("x_sum", "");
  EXPECT_THROW((void)registry->histogram("x", ""), ConfigError);
  EXPECT_NO_THROW((void)registry->gauge("x", ""));
}

TEST(RegistryTest, CollisionsNameBothMetrics) {
  const auto registry = Registry::create();
  (void)registry->histogram("wait", "");
  const std::string error = error_of([&] { (void)registry->counter("wait_count", ""); });
  EXPECT_NE(error.find("counter \"wait_count_total\""), std::string::npos) << error;
  EXPECT_NE(error.find("histogram \"wait\""), std::string::npos) << error;
}

TEST(RegistryTest, ARefusedFamilyLeavesNothingBehind) {
  const auto registry = Registry::create();
  EXPECT_THROW((void)registry->histogram("wait", "", {}, std::vector<double>{}), ConfigError);
  EXPECT_NO_THROW((void)registry->histogram("wait", ""));
}

TEST(RegistryTest, SeriesBeyondTheLimitShareOneAndAreCounted) {
  const auto registry = Registry::create({.max_series_per_family = 2});
  const Counter hits = registry->counter("hits", "", {"path"});
  for (const char* path : {"a", "b", "c", "d", "a"}) hits.labels({path}).inc();
  EXPECT_EQ(application_text(*registry),
            "# HELP hits_total \n# TYPE hits_total counter\nhits_total{path=\"a\"} 2.0\n"
            "hits_total{path=\"b\"} 1.0\nhits_total{path=\"_overflow\"} 2.0\n");
  EXPECT_EQ(registry->sample_value("inferometer_dropped_series_total"), 2);
  EXPECT_NO_THROW((void)registry->gauge("level", ""));
  EXPECT_NO_THROW((void)registry->acquire(Metric::kLatency, {"m"}));
  registry->set_max_series_per_family(4);
  EXPECT_EQ(registry->max_series_per_family(), 4U);
  hits.labels({"c"}).inc();
  EXPECT_EQ(registry->sample_value("hits_total", {{"path", "c"}}), 1);
}

TEST(RegistryTest, AFullArenaIsAnErrorNotACrash) {
  const auto registry = Registry::create({.arena_bytes = 8192});
  const auto acquire = [&](int i) {
    return registry->acquire(Metric::kQueueLimit, {std::to_string(i)});
  };
  std::vector<std::shared_ptr<Series>> held;
  EXPECT_THROW(
      {
        for (int i = 0;; ++i) held.push_back(acquire(i));
      },
      ConfigError);
  EXPECT_GT(held.size(), 100U);
  EXPECT_THROW((void)registry->acquire(Metric::kLatency, {"m"}), ConfigError);
  EXPECT_THROW((void)registry->allocate_words(1), ConfigError);
  EXPECT_EQ(registry->sample_value("inferometer_dropped_series_total"), 2);
  const Histogram wait = registry->histogram("wait", "", {"x"}, std::vector<double>{1.0}, true);
  EXPECT_THROW((void)wait.labels({"a"}), ConfigError);
  held.clear();
  (void)registry->render_text();  // frees what nobody holds
  EXPECT_NO_THROW((void)acquire(-1));
}

TEST(RegistryTest, ARegistryNeedsRoomForItself) {
  EXPECT_THROW((void)Registry::create({.arena_bytes = 64}), ConfigError);
}

TEST(RegistryTest, CatalogueSeriesLiveAsLongAsTheirHandles) {
  const auto registry = Registry::create();
  EXPECT_EQ(registry->render_text().find("inference_"), std::string::npos);
  auto first = registry->acquire(Metric::kRequests, {"m", "success"});
  auto second = registry->acquire(Metric::kRequests, {"m", "success"});
  EXPECT_EQ(first, second);
  const Registry::LabelSet labels = {{"model_name", "m"}, {"status", "success"}};
  add_shared(*first->base(), 5);
  first.reset();
  EXPECT_EQ(registry->sample_value("inference_requests_total", labels), 5);
  second.reset();
  EXPECT_FALSE(registry->sample_value("inference_requests_total", labels));
  EXPECT_EQ(registry->render_text().find("inference_"), std::string::npos);
  first = registry->acquire(Metric::kRequests, {"m", "success"});
  EXPECT_EQ(registry->sample_value("inference_requests_total", labels), 0);
}

TEST(RegistryTest, AReacquiredSeriesStartsAnew) {
  const auto registry = Registry::create();
  auto series = registry->acquire(Metric::kWithinObjective, {"m"});
  add_shared(*series->base(), 5);
  series.reset();
  series = registry->acquire(Metric::kWithinObjective, {"m"});  // nobody read in between
  EXPECT_EQ(series->read().integer, 0);
}

TEST(RegistryTest, ManyCatalogueSeriesComeAndGo) {
  const auto registry = Registry::create();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::shared_ptr<Series>> held;
    held.reserve(50);
    for (int i = 0; i < 50; ++i) {
      held.push_back(registry->acquire(Metric::kQueueLimit, {std::to_string(i)}));
    }
    for (size_t i = 0; i < held.size(); ++i) {
      if (i % 10 != 0) held[i].reset();
    }
    for (int i = 0; i < 50; ++i) {
      const auto value =
          registry->sample_value("inference_queue_limit", {{"model_name", std::to_string(i)}});
      EXPECT_EQ(value.has_value(), i % 10 == 0);
    }
  }
}

TEST(RegistryTest, AcquireChecksLabelValues) {
  const auto registry = Registry::create();
  EXPECT_THROW((void)registry->acquire(Metric::kRequests, {"m"}), ConfigError);
  EXPECT_THROW((void)registry->acquire(Metric::kLatency, {"\xc3"}), ConfigError);
}

TEST(RegistryTest, OneLiveEngineOfANameAndVersion) {
  const auto registry = Registry::create();
  registry->claim("digits", "1");
  registry->claim("digits", "2");
  const std::string error = error_of([&] { registry->claim("digits", "1"); });
  EXPECT_NE(error.find("\"digits\""), std::string::npos) << error;
  EXPECT_NE(error.find("\"1\""), std::string::npos) << error;
  registry->release("digits", "1");
  EXPECT_NO_THROW(registry->claim("digits", "1"));
  registry->release("never", "claimed");
}

TEST(RegistryTest, SampleValueWantsTheExactLabels) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "", {"path"});
  hits.labels({"/"}).inc();
  EXPECT_EQ(registry->sample_value("hits_total", {{"path", "/"}}), 1);
  EXPECT_FALSE(registry->sample_value("hits", {{"path", "/"}}));
  EXPECT_FALSE(registry->sample_value("hits_total"));
  EXPECT_FALSE(registry->sample_value("hits_total", {{"path", "/x"}}));
  EXPECT_FALSE(registry->sample_value("hits_total", {{"path", "/"}, {"code", "1"}}));
}

class CallingRefresher final : public Refresher {
 public:
  explicit CallingRefresher(std::function<void(RegistryCore&)> call) : call_(std::move(call)) {}
  void refresh(RegistryCore& registry) override { call_(registry); }

 private:
  const std::function<void(RegistryCore&)> call_;
};

TEST(RegistryTest, RefreshersWriteBeforeAnythingIsShown) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "");
  std::shared_ptr<Series> made;
  registry->add_refresher("a", std::make_shared<CallingRefresher>([&](RegistryCore& core) {
                            made = core.family(Metric::kProcessMaxFds).get({});
                          }));
  registry->add_refresher("b", std::make_shared<CallingRefresher>([&](RegistryCore&) {
                            // No lock is held: it may use the registry.
                            (void)registry->acquire(Metric::kProcessOpenFds, {});
                            level.inc();
                          }));
  registry->add_refresher(
      "b", std::make_shared<CallingRefresher>([&](RegistryCore&) { level.inc(100); }));
  EXPECT_EQ(level.value(), 0);
  EXPECT_EQ(registry->sample_value("level"), 1);
  EXPECT_EQ(registry->sample_value("process_max_fds"), 0);
}

TEST(RegistryTest, ARefresherThatThrowsIsCountedAndTheRestGoesOn) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "");
  registry->add_refresher("a", std::make_shared<CallingRefresher>(
                                   [](RegistryCore&) { throw std::runtime_error("no"); }));
  registry->add_refresher("b",
                          std::make_shared<CallingRefresher>([&](RegistryCore&) { level.inc(); }));
  EXPECT_EQ(registry->sample_value("level"), 1);
  EXPECT_EQ(registry->sample_value("inferometer_collector_errors_total"), 2);  // the second time
}

TEST(RegistryTest, FamiliesAndSeriesAppearWhileOthersScrape) {
  const auto registry = Registry::create();
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = "g_" + std::to_string(t) + "_" + std::to_string(i);
        registry->gauge(name, "", {"x"}).labels({name}).set(i);
        const auto held = registry->acquire(Metric::kQueueDepth, {name});
        const uint64_t reader = held->attach_reader([] { return 1.0; });
        EXPECT_EQ(registry->sample_value("inference_queue_depth", {{"model_name", name}}), 1);
        held->detach_reader(reader);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 3; ++t) {
    for (int i = 0; i < 50; ++i) {
      const std::string name = "g_" + std::to_string(t) + "_" + std::to_string(i);
      EXPECT_EQ(registry->sample_value(name, {{"x", name}}), i);
    }
  }
}

TEST(RegistryTest, FamilyNamesAreThoseOfTheExposition) {
  const auto registry = Registry::create();
  registry->counter("hits", "Hits.").inc();
  (void)registry->gauge("level", "Never set, with a label.", {"a"});
  const std::string text = registry->render_text();
  std::string types;
  for (const std::string& name : registry->family_names()) {
    EXPECT_NE(text.find("# TYPE " + name + " "), std::string::npos) << name;
    types += name + " ";
  }
  EXPECT_NE(types.find("hits_total "), std::string::npos);
}

}  // namespace
}  // namespace inferometer
