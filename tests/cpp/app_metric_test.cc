// Counter, Gauge and Histogram of inferometer/registry.h.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/non_finite.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"

namespace inferometer {
namespace {

TEST(AppMetricTest, CountersOnlyGrow) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "Hits.");
  hits.inc();
  hits.inc(0);
  hits.inc(2.5);
  EXPECT_EQ(hits.value(), 3.5);
  EXPECT_THROW(hits.inc(-1), ConfigError);
  EXPECT_THROW(hits.inc(kNan), ConfigError);
  EXPECT_EQ(hits.value(), 3.5);
  EXPECT_EQ(hits.name(), "hits_total");
  EXPECT_EQ(registry->sample_value("hits_total"), 3.5);
}

TEST(AppMetricTest, GaugesGoUpAndDown) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "Level.");
  level.set(10);
  level.inc(-1);
  level.dec(0.5);
  EXPECT_EQ(level.value(), 8.5);
  level.set(kNan);
  EXPECT_TRUE(std::isnan(level.value()));
}

TEST(AppMetricTest, HistogramsPutNanIntoInfinity) {
  const auto registry = Registry::create();
  const Histogram wait = registry->histogram("wait", "Wait.", {}, std::vector<double>{1.0, 2.0});
  for (const double value : {1.0, 1.5, 2.0, 3.0, -1.0}) wait.observe(value);
  EXPECT_EQ(registry->sample_value("wait_sum"), 6.5);
  EXPECT_EQ(registry->sample_value("wait_bucket", {{"le", "1.0"}}), 2);
  EXPECT_EQ(registry->sample_value("wait_bucket", {{"le", "2.0"}}), 4);
  EXPECT_EQ(registry->sample_value("wait_count"), 5);
  wait.observe(kNan);
  wait.observe(std::numeric_limits<double>::infinity());
  EXPECT_EQ(registry->sample_value("wait_bucket", {{"le", "2.0"}}), 4);
  EXPECT_EQ(registry->sample_value("wait_bucket", {{"le", "+Inf"}}), 7);
  EXPECT_EQ(registry->sample_value("wait_count"), 7);
  EXPECT_TRUE(std::isnan(registry->sample_value("wait_sum").value_or(0)));
}

TEST(AppMetricTest, TheSameLabelValuesAreTheSameSeries) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "Hits.", {"path", "code"});
  hits.labels({"/", "200"}).inc();
  hits.labels({"/", "200"}).inc();
  hits.labels({"/", "404"}).inc();
  EXPECT_EQ(hits.labels({"/", "200"}).value(), 2);
  // Joined values must not be mistaken for each other.
  EXPECT_EQ(hits.labels({"/2", "00"}).value(), 0);
  EXPECT_EQ(registry->sample_value("hits_total", {{"path", "/"}, {"code", "404"}}), 1);
}

TEST(AppMetricTest, LabelsAreChecked) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "Hits.", {"path"});
  EXPECT_THROW((void)hits.labels({}), ConfigError);
  EXPECT_THROW((void)hits.labels({"a", "b"}), ConfigError);
  EXPECT_THROW((void)hits.labels({"\xff"}), ConfigError);
  EXPECT_THROW(hits.inc(), ConfigError);
  EXPECT_THROW((void)hits.value(), ConfigError);
  EXPECT_THROW((void)hits.labels({"a"}).labels({"b"}), ConfigError);
  EXPECT_THROW(hits.remove({"a", "b"}), ConfigError);
  const Gauge level = registry->gauge("level", "Level.");
  EXPECT_THROW((void)level.labels({"a"}), ConfigError);
  EXPECT_THROW((void)level.labels({}), ConfigError);
  EXPECT_THROW(level.remove({}), ConfigError);
  const Histogram wait = registry->histogram("wait", "Wait.", {"path"});
  EXPECT_THROW(wait.observe(1), ConfigError);
}

TEST(AppMetricTest, RemovedSeriesDisappearAndTheirHandlesStaySafe) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "Hits.", {"path"});
  const Counter kept = hits.labels({"/a"});
  kept.inc();
  hits.remove({"/a"});
  hits.remove({"/never"});
  EXPECT_FALSE(registry->sample_value("hits_total", {{"path", "/a"}}));
  kept.inc();
  EXPECT_EQ(kept.value(), 2);
  EXPECT_EQ(hits.labels({"/a"}).value(), 0);  // a new one
  EXPECT_EQ(kept.value(), 2);
  hits.clear();
  EXPECT_EQ(registry->render_text().find("hits"), std::string::npos);
}

TEST(AppMetricTest, ClearKeepsTheSeriesOfAFamilyWithoutLabels) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "Level.");
  level.set(4);
  level.clear();
  EXPECT_EQ(registry->sample_value("level"), 4);
}

TEST(AppMetricTest, HandlesOutliveTheRegistry) {
  auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "Hits.", {"path"});
  const Counter child = hits.labels({"/"});
  registry.reset();
  child.inc();
  EXPECT_EQ(child.value(), 1);
  EXPECT_EQ(hits.labels({"/"}).value(), 1);
  EXPECT_NO_THROW(hits.labels({"/new"}).inc());
}

TEST(AppMetricTest, ManyRemovalsKeepOrderAndTheRest) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "Level.", {"i"});
  for (int i = 0; i < 100; ++i) level.labels({std::to_string(i)}).set(i);
  for (int i = 0; i < 100; ++i) {
    if (i % 7 != 0) level.remove({std::to_string(i)});
  }
  std::string expected;
  for (int i = 0; i < 100; i += 7) {
    const std::string text = std::to_string(i);
    expected.append("level{i=\"").append(text).append("\"} ").append(text).append(".0\n");
    EXPECT_EQ(level.labels({text}).value(), i);
  }
  EXPECT_NE(registry->render_text().find("gauge\n" + expected), std::string::npos);
}

// Random operations against a plain map.
TEST(AppMetricTest, BehavesLikeAMap) {
  const auto registry = Registry::create();
  const Gauge level = registry->gauge("level", "Level.", {"a", "b"});
  std::map<std::pair<std::string, std::string>, double> model;
  std::mt19937 random(11);  // NOLINT(bugprone-random-generator-seed): the same test each time
  for (int step = 0; step < 3000; ++step) {
    const std::string a = std::to_string(random() % 6);
    const std::string b = std::to_string(random() % 6);
    switch (random() % 5) {
      case 0:
        level.remove({a, b});
        model.erase({a, b});
        break;
      case 1:
        level.labels({a, b}).set(step);
        model[{a, b}] = step;
        break;
      case 2:
        level.labels({a, b}).dec(2);
        model[{a, b}] -= 2;
        break;
      case 3:
        if (random() % 40 == 0) {
          level.clear();
          model.clear();
        }
        break;
      default: {
        const auto found = model.find({a, b});
        const auto got = registry->sample_value("level", {{"a", a}, {"b", b}});
        ASSERT_EQ(got.has_value(), found != model.end());
        if (got) {
          ASSERT_EQ(*got, found->second);
        }
      }
    }
  }
}

// The writers of all formats that there are.
constexpr const char* kFormats[] = {
    "text/plain;version=0.0.4", "text/plain;version=1.0.0",
    "application/openmetrics-text;version=1.0.0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"};

TEST(AppMetricTest, NothingIsLostBetweenThreads) {
  const auto registry = Registry::create({.native_histograms = true});
  const Counter hits = registry->counter("hits", "Hits.", {"path"});
  const Histogram wait = registry->histogram("wait", "Wait.", {}, std::vector<double>{1.0, 2.0});
  constexpr int kThreads = 4;
  constexpr int kOperations = 5000;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const Counter mine = hits.labels({std::to_string(t % 2)});
      for (int i = 0; i < kOperations; ++i) {
        mine.inc(0.5);
        wait.observe(i % 3);
        if (i % 100 == 0) {
          wait.observe(1, {.labels = {{"trace_id", "t"}}});
          hits.labels({"passing"}).inc();
          hits.remove({"passing"});
        }
      }
      --running;
    });
  }
  double seen = 0;
  while (running > 0) {
    const double count = registry->sample_value("wait_count").value_or(-1);
    EXPECT_GE(count, seen);
    seen = count;
    for (const char* accept : kFormats) {
      EXPECT_FALSE(registry->render({.accept = accept, .accept_encoding = "gzip"}).body.empty());
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hits.labels({"0"}).value(), kOperations);
  EXPECT_EQ(hits.labels({"1"}).value(), kOperations);
  constexpr int kExemplars = kThreads * kOperations / 100;
  EXPECT_EQ(registry->sample_value("wait_count"), kThreads * kOperations + kExemplars);
  double sum = kExemplars;
  for (int i = 0; i < kOperations; ++i) sum += kThreads * (i % 3);
  EXPECT_EQ(registry->sample_value("wait_sum"), sum);
}

}  // namespace
}  // namespace inferometer
