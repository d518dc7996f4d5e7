// Several instances, each with cells of its own.
#include "serving/recorder_cells.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "inferometer/errors.h"
#include "recorder_fixture.h"

namespace inferometer {
namespace {

static_assert(ShardCells::kWords % Arena::kLineWords == 0, "writers share a cache line");

class RecorderCellsTest : public RecorderFixture {
 protected:
  double ended(std::string_view status) const {
    return value("inference_requests_total", {{"status", std::string(status)}});
  }
};

TEST(ShardCellsTest, CallersUseTheShardsBehindTheInstances) {
  for (const size_t instances : {size_t{1}, size_t{3}, size_t{64}}) {
    std::set<size_t> used;
    for (size_t thread = 0; thread < 100; ++thread) {
      used.insert(ShardCells::caller_shard(instances, thread));
    }
    EXPECT_EQ(*used.begin(), instances);
    EXPECT_EQ(*used.rbegin(), ShardCells::shards(instances) - 1);
    EXPECT_EQ(used.size(), ShardCells::kCallerShards);
  }
}

TEST_F(RecorderCellsTest, EachInstanceHasItsBusySeries) {
  const auto recorder = make(options_of("1", 3));
  recorder->record_batch(0, {.rows = 1, .compute_ns = 1'000'000'000});
  recorder->record_batch(2, {.rows = 1, .compute_ns = 4'000'000'000});
  EXPECT_EQ(busy_seconds(0), 1);
  EXPECT_EQ(busy_seconds(1), 0);
  EXPECT_EQ(busy_seconds(2), 4);
  EXPECT_EQ(busy_seconds(3), -1);
  EXPECT_EQ(value("inference_compute_seconds_count"), 2);
  EXPECT_EQ(recorder->totals().busy_ns, 5'000'000'000U);
}

TEST_F(RecorderCellsTest, EverythingElseIsAddedUp) {
  RecorderOptions options = options_of("1", 3);
  options.padding = true;
  options.latency_objective_ns = 100;
  const auto recorder = make(options);
  for (size_t instance = 0; instance < 3; ++instance) {
    recorder->record_request(instance, Outcome::kSuccess, timing_of(1, 50));
    recorder->record_batch(instance, {.reason = ReleaseReason::kFull,
                                      .rows = 4,
                                      .succeeded = 1,
                                      .inferences = 4,
                                      .padding_elements = 10,
                                      .elements = 100});
    recorder->record_wasted(instance, 1'000'000'000);
  }
  recorder->record_ended_early(Outcome::kTimeout, ended_after(7));
  EXPECT_EQ(ended("success"), 3);
  EXPECT_EQ(ended("timeout"), 1);
  EXPECT_EQ(value("inference_latency_seconds_count"), 4);
  EXPECT_EQ(value("inference_requests_within_objective_total"), 3);
  EXPECT_EQ(value("inference_batches_total", {{"reason", "full"}}), 3);
  EXPECT_EQ(value("inference_batch_size_sum"), 12);
  EXPECT_EQ(value("inference_wasted_seconds_total"), 3);
  EXPECT_EQ(value("inference_padding_elements_total"), 30);
  EXPECT_EQ(value("inference_elements_total"), 300);
  const RecordedTotals totals = recorder->totals();
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kSuccess)], 3U);
  EXPECT_EQ(totals.latency.sum, 3U * 50 + 7);
  EXPECT_EQ(totals.within_objective, 3U);
  EXPECT_EQ(totals.batch_size.sum, 12U);
  EXPECT_EQ(totals.wasted_ns, 3'000'000'000U);
  EXPECT_EQ(totals.padding_elements, 30U);
  EXPECT_EQ(totals.elements, 300U);
}

TEST_F(RecorderCellsTest, PaddingIsAbsentForAnEngineThatDoesNotPad) {
  const auto recorder = make(options_of());
  recorder->record_batch(0, {.rows = 1, .padding_elements = 10, .elements = 100});
  EXPECT_EQ(value("inference_padding_elements_total"), -1);
  EXPECT_EQ(value("inference_elements_total"), -1);
}

TEST_F(RecorderCellsTest, AnEngineHasAtLeastOneInstanceAndNotTooMany) {
  for (const size_t instances : {size_t{0}, kMaxInstances + 1, ~size_t{0}}) {
    try {
      (void)make(options_of("1", instances));
      FAIL() << "want ConfigError for " << instances;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()),
                "instances: got " + std::to_string(instances) + ", want 1 to 65536");
    }
  }
  EXPECT_NO_THROW((void)make(options_of("1", 1)));  // its name was not kept
}

// A version that goes leaves what its instances counted with the versions that stay, and takes the
// series that nobody else shows.
TEST_F(RecorderCellsTest, InstancesOfVersionsShareSeriesByTheirNumber) {
  auto first = make(options_of("1", 3));
  const auto second = make(options_of("2", 2));
  for (size_t instance = 0; instance < 3; ++instance) {
    first->record_batch(instance, {.rows = 1, .compute_ns = 1'000'000'000});
  }
  second->record_batch(1, {.rows = 1, .compute_ns = 2'000'000'000});
  EXPECT_EQ(busy_seconds(1), 3);
  first->close();
  first->record_batch(1, {.rows = 1, .compute_ns = 9'000'000'000});  // a straggler's
  first.reset();
  EXPECT_EQ(busy_seconds(0), 1);
  EXPECT_EQ(busy_seconds(1), 3);
  EXPECT_EQ(busy_seconds(2), -1);
  EXPECT_EQ(value("inference_compute_seconds_count"), 4);
}

// More runners than instances: whoever has an instance's lock writes its cells. Callers and a
// scraper are at it at the same time; no reading falls and the last one is exact.
TEST_F(RecorderCellsTest, SumsAreExactWhoeverRunsAnInstance) {
  constexpr size_t kInstances = 3;
  constexpr int kRunners = 4;
  constexpr int kCallers = ShardCells::kCallerShards;  // in each of their shards one
  constexpr int kBatches = 900;                        // of each runner, spread over the instances
  constexpr int kBatch = 3;
  RecorderOptions options = options_of("1", kInstances);
  options.padding = true;
  options.native_histograms = true;
  const auto recorder = make(options);
  std::mutex mutexes[kInstances];
  std::atomic<int> busy{kRunners + kCallers};
  std::vector<std::thread> threads;
  for (int runner = 0; runner < kRunners; ++runner) {
    threads.emplace_back([&, runner] {
      for (int i = 0; i < kBatches; ++i) {
        const auto instance = static_cast<size_t>(runner + i) % kInstances;
        const std::lock_guard lock(mutexes[instance]);
        const OwnTime::Stretch recording = recorder->begin_recording(instance, kBatch);
        for (int r = 0; r < kBatch; ++r) {
          recorder->record_request(instance, Outcome::kSuccess, timing_of(1'500, 7'500));
        }
        recorder->record_batch(instance, {.reason = ReleaseReason::kFull,
                                          .rows = kBatch,
                                          .compute_ns = 1'000'000,
                                          .succeeded = kBatch,
                                          .inferences = kBatch,
                                          .padding_elements = 2,
                                          .elements = 10});
        recorder->record_wasted(instance, 1'000);
        recorder->end_recording(instance, recording);
      }
      --busy;
    });
  }
  for (int caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&] {
      for (int i = 0; i < kBatches; ++i) {
        recorder->record_refused(Outcome::kRejected);
        recorder->record_ended_early(Outcome::kCancelled, ended_after(500));
      }
      --busy;
    });
  }
  double last_success = 0;
  double last_busy = 0;
  while (busy > 0) {
    const double success = ended("success");
    const double busy_now = busy_seconds(kInstances - 1);
    EXPECT_GE(success, last_success);
    EXPECT_GE(busy_now, last_busy);
    last_success = success;
    last_busy = busy_now;
  }
  for (std::thread& thread : threads) thread.join();

  constexpr uint64_t kRan = uint64_t{kRunners} * kBatches;
  constexpr uint64_t kRanOnEach = kRan / kInstances;
  constexpr uint64_t kEndedEarly = uint64_t{kCallers} * kBatches;
  const RecordedTotals totals = recorder->totals();
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kSuccess)], kRan * kBatch);
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kRejected)], kEndedEarly);
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kCancelled)], kEndedEarly);
  EXPECT_EQ(totals.batches[static_cast<size_t>(ReleaseReason::kFull)], kRan);
  EXPECT_EQ(totals.latency.sum, kRan * kBatch * 7'500 + kEndedEarly * 500);
  EXPECT_EQ(totals.batch_size.sum, kRan * kBatch);
  EXPECT_EQ(totals.busy_ns, kRan * 1'000'000);
  EXPECT_EQ(totals.wasted_ns, kRan * 1'000);
  EXPECT_EQ(totals.padding_elements, kRan * 2);
  EXPECT_EQ(totals.elements, kRan * 10);
  EXPECT_EQ(ended("success"), static_cast<double>(kRan * kBatch));
  for (size_t instance = 0; instance < kInstances; ++instance) {
    EXPECT_DOUBLE_EQ(busy_seconds(instance), 1e-3 * static_cast<double>(kRanOnEach));
  }
}

}  // namespace
}  // namespace inferometer
