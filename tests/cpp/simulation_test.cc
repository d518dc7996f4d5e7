#include "inferometer/simulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "simulated_arrivals.h"

// The rules are tested against their specification in tests/python/test_simulation_properties.py;
// here is what only C++ sees, and one of each kind of event.

namespace inferometer {

std::ostream& operator<<(std::ostream& out, const TracedRequest& request) {
  return out << request.id << ' ' << outcome_name(request.outcome) << " queue " << request.queue_ns
             << " total " << request.total_ns << " batch " << static_cast<int64_t>(request.batch);
}

bool operator==(const TracedRequest& a, const TracedRequest& b) {
  return a.id == b.id && a.outcome == b.outcome && a.queue_ns == b.queue_ns &&
         a.total_ns == b.total_ns && a.batch == b.batch;
}

namespace {

constexpr size_t kNoBatch = TracedRequest::kNoBatch;

class SimulationTest : public testing::Test {
 protected:
  SimulationTest() {
    options_.registry = Registry::create();
    options_.trace = true;
  }

  // Every batch takes 100 ns.
  std::unique_ptr<Simulation> make(std::vector<SimulatedArrival> arrivals) {
    return std::make_unique<Simulation>(options_,
                                        std::make_unique<ListedArrivals>(std::move(arrivals)),
                                        [](int64_t) { return int64_t{100}; });
  }
  std::unique_ptr<Simulation> run(std::vector<SimulatedArrival> arrivals) {
    auto simulation = make(std::move(arrivals));
    simulation->run();
    return simulation;
  }
  std::string config_error() {
    try {
      (void)make({});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  }

  SimulationOptions options_;
};

TEST_F(SimulationTest, WhatHappensToRequests) {
  options_.batching.max_queue_size = 2;
  const auto simulation = run({{.at_ns = 0, .cancel_ns = 70},
                               {.at_ns = 10, .timeout_ns = 20},
                               {.at_ns = 20, .cancel_ns = 40},
                               {.at_ns = 25},
                               {.at_ns = 50, .rows = 2}});
  EXPECT_EQ(simulation->trace().requests,
            (std::vector<TracedRequest>{{3, Outcome::kRejected, 0, 0, kNoBatch},
                                        {1, Outcome::kTimeout, 20, 20, kNoBatch},
                                        {2, Outcome::kCancelled, 20, 20, kNoBatch},
                                        {0, Outcome::kCancelled, 0, 70, 0},
                                        {4, Outcome::kSuccess, 50, 150, 1}}));
  ASSERT_EQ(simulation->trace().batches.size(), 2U);
  const TracedBatch& last = simulation->trace().batches.back();
  EXPECT_EQ(last.start_ns, 100);
  EXPECT_EQ(last.end_ns, 200);
  EXPECT_EQ(last.rows, 2);
  EXPECT_EQ(last.reason, ReleaseReason::kIdle);
  EXPECT_EQ(last.requests, std::vector<uint64_t>{4});
  EXPECT_EQ(simulation->now_ns(), 200);
}

TEST_F(SimulationTest, StatsCountWhatHappened) {
  const auto simulation = run({{.at_ns = 0, .rows = 3}, {.at_ns = 0, .cancel_ns = 50}});
  const SimulationStats stats = simulation->stats();
  EXPECT_TRUE(stats.recording);
  EXPECT_EQ(stats.requests[static_cast<size_t>(Outcome::kSuccess)], 1U);
  EXPECT_EQ(stats.requests[static_cast<size_t>(Outcome::kCancelled)], 1U);
  EXPECT_EQ(stats.batches[static_cast<size_t>(ReleaseReason::kIdle)], 1U);
  EXPECT_DOUBLE_EQ(stats.batch_size.mean, 4);
  EXPECT_DOUBLE_EQ(stats.busy_seconds, 100e-9);
  EXPECT_DOUBLE_EQ(stats.wasted_seconds, 25e-9);
  EXPECT_EQ(stats.telemetry_seconds, 0);
  EXPECT_DOUBLE_EQ(stats.throughput, 1 / 100e-9);
}

TEST_F(SimulationTest, NoTimeHasNoThroughput) {
  EXPECT_TRUE(std::isnan(make({})->stats().throughput));
}

TEST_F(SimulationTest, ThePresentStateIsShown) {
  const auto simulation = make({{.at_ns = 0}, {.at_ns = 10}, {.at_ns = 20}});
  simulation->advance(60);
  const auto value = [&](std::string_view name) {
    return simulation->registry()->sample_value(name, {{"model_name", "simulated"}});
  };
  EXPECT_EQ(value("inference_queue_depth"), 2);
  EXPECT_EQ(value("inference_in_flight"), 1);
  EXPECT_DOUBLE_EQ(value("inference_oldest_request_seconds").value_or(0), 50e-9);
  EXPECT_EQ(value("inference_queue_limit"), 1024);
  EXPECT_EQ(simulation->stats().queue_depth, 2);
  EXPECT_EQ(simulation->stats().in_flight, 1);
}

TEST_F(SimulationTest, AdvancesToAnyTimeAndRunsToTheLastEvent) {
  const auto simulation = make({{.at_ns = 50}, {.at_ns = 1000}});
  simulation->advance(0);
  simulation->advance(149);
  EXPECT_TRUE(simulation->trace().requests.empty());
  simulation->advance(1);
  EXPECT_EQ(simulation->trace().requests.size(), 1U);  // what falls on the last nanosecond happens
  simulation->run();
  EXPECT_EQ(simulation->now_ns(), 1100);
  simulation->run();
  EXPECT_EQ(simulation->now_ns(), 1100);
  simulation->advance(kNever);
  EXPECT_EQ(simulation->now_ns(), kNever - 1);
  EXPECT_THROW(simulation->advance(-1), ConfigError);
}

TEST_F(SimulationTest, ABatchThatNeverEndsKeepsItsInstance) {
  Simulation simulation(
      options_,
      std::make_unique<ListedArrivals>(std::vector<SimulatedArrival>{{.at_ns = 5}, {.at_ns = 6}}),
      [](int64_t) { return kNever - 1; });
  simulation.advance(int64_t{1} << 61);
  EXPECT_EQ(simulation.stats().in_flight, 1);
  EXPECT_EQ(simulation.stats().queue_depth, 1);
}

TEST_F(SimulationTest, LengthsShareABatchByTheirBuckets) {
  options_.batching.padding = Padding{.buckets = {2, 5}};
  options_.batching.max_queue_delay_ns = 10;
  options_.instances = 3;
  const auto simulation = run({{.length = 1}, {.length = 4}, {.length = 2}, {.length = 9}});
  ASSERT_EQ(simulation->trace().batches.size(), 3U);
  EXPECT_EQ(simulation->trace().batches[0].requests, (std::vector<uint64_t>{0, 2}));
}

TEST_F(SimulationTest, GroupsAndLengthsAreNeverMistakenForEachOther) {
  const int64_t last = (int64_t{1} << 31) - 2;
  const auto simulation = run({{.group = 0, .length = 1},
                               {.group = 1, .length = 0},
                               {.group = 1},
                               {.group = last, .length = last},
                               {.group = last, .length = last}});
  EXPECT_EQ(simulation->trace().batches.size(), 4U);
}

TEST_F(SimulationTest, TheCostIsAskedOnceForEachNumberOfRows) {
  std::vector<int64_t> asked;
  std::vector<SimulatedArrival> arrivals;
  for (int64_t i = 0; i < 20; ++i) arrivals.push_back({.at_ns = i * 1000, .rows = 1 + i % 2});
  Simulation simulation(options_, std::make_unique<ListedArrivals>(arrivals), [&](int64_t rows) {
    asked.push_back(rows);
    return rows;
  });
  simulation.run();
  EXPECT_EQ(asked, (std::vector<int64_t>{1, 2}));
}

TEST_F(SimulationTest, AnErrorEndsIt) {
  for (const int64_t cost_ns : {int64_t{-1}, int64_t{0}}) {  // a wrong cost, a wrong arrival
    options_.registry = Registry::create();
    Simulation simulation(options_,
                          std::make_unique<ListedArrivals>(
                              std::vector<SimulatedArrival>{{.at_ns = 5}, {.at_ns = 4}}, 1),
                          [&](int64_t) { return cost_ns; });
    EXPECT_THROW(simulation.run(), ConfigError);
    EXPECT_THROW(simulation.run(), ClosedError);
    EXPECT_THROW(simulation.advance(1), ClosedError);
    EXPECT_EQ(simulation.now_ns(), 5);
    EXPECT_TRUE(simulation.stats().recording);
  }
}

TEST_F(SimulationTest, OnlyATraceGrows) {
  options_.trace = false;
  const auto simulation = run({{.at_ns = 0}, {.at_ns = 1}});
  EXPECT_TRUE(simulation->trace().requests.empty());
  EXPECT_TRUE(simulation->trace().batches.empty());
}

TEST_F(SimulationTest, WrongOptions) {
  const SimulationOptions good = options_;
  options_.batching.max_batch_size = 0;
  EXPECT_NE(config_error().find("max_batch_size: got 0"), std::string::npos);
  options_ = good;
  options_.name.clear();
  EXPECT_EQ(config_error(), "name: got an empty name, want a name");
  options_ = good;
  options_.version.clear();
  EXPECT_EQ(config_error(), "version: got an empty version, want one");
  options_ = good;
  options_.latency_objective_ns = 0;
  EXPECT_EQ(config_error(), "latency_objective: got 0 ns, want more than 0, or none");
  options_ = good;
  options_.instances = 0;
  EXPECT_NE(config_error().find("instances: got 0, want 1 to"), std::string::npos);
  options_ = good;
  options_.registry = nullptr;
  EXPECT_EQ(config_error(), "registry: got null, want a registry");
}

TEST_F(SimulationTest, ScrapesMayComeFromOtherThreads) {
  options_.trace = false;
  std::vector<SimulatedArrival> arrivals;
  for (int64_t i = 0; i < 20'000; ++i) arrivals.push_back({.at_ns = i * 30, .cancel_ns = i * 300});
  const auto simulation = make(std::move(arrivals));
  std::thread scraper([&] {
    int64_t seen_ns = 0;
    while (seen_ns < 600'000) {
      (void)simulation->registry()->render({});
      (void)simulation->stats();
      EXPECT_GE(simulation->now_ns(), seen_ns);
      seen_ns = simulation->now_ns();
    }
  });
  simulation->run();
  simulation->advance(600'000);
  scraper.join();
}

}  // namespace
}  // namespace inferometer
