#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "inferometer/simulation.h"
#include "simulated_arrivals.h"

// What faults do to the batches of a simulation: what FaultyModel does to an engine's, on a virtual
// clock.

namespace inferometer {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class SimulatedBatchesTest : public testing::Test {
 protected:
  SimulatedBatchesTest() {
    options_.registry = Registry::create();
    options_.trace = true;
    options_.batching.max_batch_size = 4;
  }

  // Every batch takes 1 s.
  void make(std::vector<SimulatedArrival> arrivals) {
    simulation_ = std::make_unique<Simulation>(
        options_, std::make_unique<ListedArrivals>(std::move(arrivals)), [this](int64_t) {
          ++costs_asked_;
          return kSecond;
        });
  }
  [[nodiscard]] std::vector<Outcome> outcomes() const {
    std::vector<Outcome> outcomes;
    for (const TracedRequest& request : simulation_->trace().requests) {
      outcomes.push_back(request.outcome);
    }
    return outcomes;
  }
  [[nodiscard]] const TracedBatch& batch(size_t index) const {
    return simulation_->trace().batches.at(index);
  }

  SimulationOptions options_;
  std::unique_ptr<Simulation> simulation_;
  int costs_asked_ = 0;
};

TEST_F(SimulatedBatchesTest, ADelayComesBeforeTheModel) {
  make({{.at_ns = 5 * kSecond}, {.at_ns = 9 * kSecond}});
  simulation_->faults()->add({.kind = FaultKind::kDelay,
                              .seconds = 2.0,
                              .start_after_seconds = 4.0,
                              .duration_seconds = 2.0});
  simulation_->run();
  EXPECT_EQ(batch(0).end_ns, 8 * kSecond);
  EXPECT_EQ(batch(1).end_ns, 10 * kSecond);
  const SimulationStats stats = simulation_->stats();
  EXPECT_DOUBLE_EQ(stats.busy_seconds, 4.0);
  EXPECT_EQ(simulation_->faults()->injected(), (std::array<uint64_t, kFaultKinds>{1, 0, 0, 0}));
}

TEST_F(SimulatedBatchesTest, AnErrorFailsTheBatchAndTheModelDoesNotRun) {
  make({{.at_ns = 0}, {.at_ns = 0, .rows = 3}});
  simulation_->faults()->add({.kind = FaultKind::kError, .ratio = 1.0});
  simulation_->run();
  EXPECT_EQ(outcomes(), (std::vector<Outcome>{Outcome::kFailure, Outcome::kFailure}));
  EXPECT_EQ(batch(0).end_ns, 0);
  EXPECT_EQ(costs_asked_, 0);
  const auto failures = simulation_->registry()->sample_value(
      "inference_requests_total", {{"model_name", "simulated"}, {"status", "failure"}});
  EXPECT_EQ(failures, 2);
}

TEST_F(SimulatedBatchesTest, SingleRequestsFailAndTheOthersSucceed) {
  std::vector<SimulatedArrival> arrivals;
  for (int64_t i = 0; i < 400; ++i) arrivals.push_back({.at_ns = i * kSecond / 4});
  make(std::move(arrivals));
  simulation_->faults()->add({.kind = FaultKind::kPartial, .ratio = 0.25});
  simulation_->run();
  const SimulationStats stats = simulation_->stats();
  const uint64_t failed = stats.requests[static_cast<size_t>(Outcome::kFailure)];
  EXPECT_EQ(failed, simulation_->faults()->injected()[static_cast<size_t>(FaultKind::kPartial)]);
  EXPECT_GT(failed, 50U);
  EXPECT_LT(failed, 150U);
  EXPECT_EQ(stats.requests[static_cast<size_t>(Outcome::kSuccess)], 400 - failed);
}

TEST_F(SimulatedBatchesTest, AStallHoldsUntilItIsOverAndTheQueueFills) {
  options_.batching.max_queue_size = 2;
  make({{.at_ns = 0}, {.at_ns = 1}, {.at_ns = 2}, {.at_ns = 3}});
  simulation_->faults()->add({.kind = FaultKind::kStall, .duration_seconds = 10.0});
  simulation_->advance(9 * kSecond);
  EXPECT_EQ(simulation_->stats().in_flight, 1);
  EXPECT_EQ(simulation_->stats().queue_depth, 2);
  EXPECT_EQ(outcomes(), std::vector<Outcome>{Outcome::kRejected});
  EXPECT_EQ(batch(0).end_ns, kNever);
  simulation_->run();
  EXPECT_EQ(batch(0).end_ns, 11 * kSecond);
  EXPECT_EQ(batch(1).end_ns, 12 * kSecond);
}

TEST_F(SimulatedBatchesTest, AHeldRequestStillHasItsDeadline) {
  make({{.at_ns = 0, .timeout_ns = 3 * kSecond}});
  simulation_->faults()->add({.kind = FaultKind::kStall, .duration_seconds = 10.0});
  simulation_->run();
  EXPECT_EQ(outcomes(), std::vector<Outcome>{Outcome::kTimeout});
  EXPECT_EQ(simulation_->trace().requests[0].total_ns, 3 * kSecond);
  EXPECT_EQ(batch(0).end_ns, 11 * kSecond);
}

TEST_F(SimulatedBatchesTest, WhatIsClearedGoesOnAtOnce) {
  make({{.at_ns = 0}});
  simulation_->faults()->add({.kind = FaultKind::kStall});
  simulation_->run();
  EXPECT_TRUE(outcomes().empty());
  simulation_->advance(7 * kSecond);
  simulation_->faults()->clear();
  simulation_->run();
  EXPECT_EQ(batch(0).end_ns, 8 * kSecond);
}

TEST_F(SimulatedBatchesTest, AClearedDelayIsNotWaitedFor) {
  make({{.at_ns = 0}});
  simulation_->faults()->add({.kind = FaultKind::kDelay, .seconds = 100.0});
  simulation_->advance(2 * kSecond);
  simulation_->faults()->clear(FaultKind::kDelay);
  simulation_->run();
  EXPECT_EQ(batch(0).end_ns, 3 * kSecond);
}

TEST_F(SimulatedBatchesTest, EqualSeedsFailTheSame) {
  std::vector<std::vector<Outcome>> runs;
  for (const uint64_t seed : {1U, 1U, 2U}) {
    options_.registry = Registry::create();
    options_.fault_seed = seed;
    std::vector<SimulatedArrival> arrivals;
    for (int64_t i = 0; i < 100; ++i) arrivals.push_back({.at_ns = i * 2 * kSecond});
    make(std::move(arrivals));
    simulation_->faults()->add({.kind = FaultKind::kError, .ratio = 0.5});
    simulation_->run();
    runs.push_back(outcomes());
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
}

TEST_F(SimulatedBatchesTest, TheFaultsOutliveTheSimulation) {
  make({});
  simulation_->advance(5 * kSecond);
  const std::shared_ptr<Faults> faults = simulation_->faults();
  simulation_.reset();
  faults->add({.kind = FaultKind::kStall, .duration_seconds = 3.0});
  ASSERT_EQ(faults->active().size(), 1U);
  EXPECT_EQ(faults->active()[0].ends_in_seconds, 3.0);
}

TEST_F(SimulatedBatchesTest, MoreArrivalsFollowThoseThatThereAre) {
  make({{.at_ns = 0}, {.at_ns = 2 * kSecond}});
  simulation_->extend(
      std::make_unique<ListedArrivals>(std::vector<SimulatedArrival>{{.at_ns = 4 * kSecond}}));
  simulation_->run();
  EXPECT_EQ(simulation_->now_ns(), 5 * kSecond);
  simulation_->extend(std::make_unique<ListedArrivals>(std::vector<SimulatedArrival>{}));
  simulation_->extend(
      std::make_unique<ListedArrivals>(std::vector<SimulatedArrival>{{.at_ns = 5 * kSecond}}));
  simulation_->run();
  EXPECT_EQ(outcomes().size(), 4U);
  EXPECT_EQ(simulation_->now_ns(), 6 * kSecond);
}

TEST_F(SimulatedBatchesTest, NoArrivalIsInThePast) {
  make({});
  simulation_->advance(5 * kSecond);
  simulation_->extend(
      std::make_unique<ListedArrivals>(std::vector<SimulatedArrival>{{.at_ns = 5 * kSecond - 1}}));
  try {
    simulation_->run();
    FAIL() << "it was taken";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("after 5.000000 s"), std::string::npos);
  }
}

TEST_F(SimulatedBatchesTest, RecordingCostsWhatTheOptionsSay) {
  options_.recording_ns = 1000;
  make({{.at_ns = 0}, {.at_ns = 0}, {.at_ns = kSecond}});
  simulation_->run();
  EXPECT_DOUBLE_EQ(simulation_->stats().telemetry_seconds, 3e-6);
  EXPECT_EQ(simulation_->now_ns(), 2 * kSecond);  // and holds nobody up
  options_.registry = Registry::create();
  options_.recording_ns = -1;
  EXPECT_THROW(make({}), ConfigError);
}

}  // namespace
}  // namespace inferometer
