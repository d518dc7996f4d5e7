#include "serving/recorder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "recorder_fixture.h"
#include "telemetry/record/registry_core.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define INFEROMETER_COUNTS_ALLOCATIONS 0
#else
#define INFEROMETER_COUNTS_ALLOCATIONS 1
// This binary's operator new counts while a test asks for it. Not inlined: g++ would see malloc()
// paired with delete.
namespace {
thread_local bool counting = false;
thread_local int allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace inferometer {
namespace {

/// Advances by `step_ns` at every reading. Thread-safe.
class SteppingClock final : public Clock {
 public:
  explicit SteppingClock(int64_t step_ns) : step_ns_(step_ns) {}
  [[nodiscard]] int64_t now_ns() const noexcept override { return now_ += step_ns_; }

 private:
  const int64_t step_ns_;
  mutable std::atomic<int64_t> now_{0};
};

/// Is set, not read: a virtual one. Counts readings. Thread-safe.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override {
    ++reads_;
    return now_;
  }
  void advance(int64_t ns) { now_ += ns; }
  [[nodiscard]] int64_t reads() const { return reads_; }

 private:
  std::atomic<int64_t> now_{0};
  mutable std::atomic<int64_t> reads_{0};
};

class RecorderTest : public RecorderFixture {
 protected:
  std::unique_ptr<Recorder> make(std::string version = "1",
                                 std::optional<int64_t> objective = std::nullopt) {
    RecorderOptions options = options_of(std::move(version));
    options.latency_objective_ns = objective;
    return std::make_unique<Recorder>(registry_, options, some_readings(), clock_);
  }

  static Timing timing(int64_t queue_ns, int64_t compute_ns, int64_t total_ns) {
    return {queue_ns, compute_ns, total_ns, 4, ReleaseReason::kFull};
  }

  static ExecutedBatch batch_of(ReleaseReason reason, int64_t rows, int64_t compute_ns) {
    return {.reason = reason, .rows = rows, .compute_ns = compute_ns};
  }

  const SteppingClock clock_{10};
};

TEST_F(RecorderTest, EverySeriesStartsAtZero) {
  const auto recorder = make("1", 1'000'000);
  for (const std::string_view status : kStatusNames) {
    EXPECT_EQ(value("inference_requests_total", {{"status", std::string(status)}}), 0);
  }
  for (const std::string_view reason : kReasonNames) {
    EXPECT_EQ(value("inference_batches_total", {{"reason", std::string(reason)}}), 0);
  }
  for (const char* const name :
       {"inference_latency_seconds_count", "inference_queue_seconds_count",
        "inference_compute_seconds_count", "inference_batch_size_count",
        "inference_requests_within_objective_total", "inference_wasted_seconds_total",
        "inferometer_telemetry_seconds_total"}) {
    EXPECT_EQ(value(name), 0) << name;
  }
  EXPECT_EQ(value("inference_busy_seconds_total", {{"model_instance", "0"}}), 0);
}

TEST_F(RecorderTest, ShowsWhatIsReadWhenScraped) {
  const auto recorder = make("1", 1'500'000'000);
  EXPECT_EQ(value("inference_queue_depth"), 3);
  EXPECT_EQ(value("inference_in_flight"), 2);
  EXPECT_EQ(value("inference_oldest_request_seconds"), 0.5);
  EXPECT_EQ(value("inference_queue_limit"), 32);
  EXPECT_EQ(value("inference_latency_objective_seconds"), 1.5);
  EXPECT_EQ(value("inferometer_model_memory_bytes", {{"kind", "weights"}}), 1000);
  EXPECT_EQ(value("inferometer_model_memory_bytes", {{"kind", "activations"}}), 200);
  EXPECT_EQ(value("inferometer_model_memory_bytes", {{"kind", "queue"}}), 64);
}

TEST_F(RecorderTest, ShowsWhatChangesWhileItLives) {
  double limit = 1;
  double weights = 2;
  double activations = 3;
  LiveReadings live = some_readings();
  live.queue_limit = [&] { return limit; };
  live.weights_bytes = [&] { return weights; };
  live.activation_bytes = [&] { return activations; };
  Recorder recorder(registry_, options_of(), live, clock_);
  const auto shown = [&] {
    return std::vector{value("inference_queue_limit"),
                       value("inferometer_model_memory_bytes", {{"kind", "weights"}}),
                       value("inferometer_model_memory_bytes", {{"kind", "activations"}})};
  };
  EXPECT_EQ(shown(), (std::vector<double>{1, 2, 3}));
  limit = 10;
  weights = 20;
  activations = 30;
  EXPECT_EQ(shown(), (std::vector<double>{10, 20, 30}));
  recorder.close();
  EXPECT_EQ(shown(), (std::vector<double>{-1, -1, -1}));
}

TEST_F(RecorderTest, WritesExactCells) {
  const auto recorder = make();
  recorder->record_request(0, Outcome::kSuccess, timing(20'000, 3'000'000, 4'000'000));
  recorder->record_request(0, Outcome::kFailure, timing(30'000, 3'000'000, 5'000'000));
  recorder->record_batch(0, batch_of(ReleaseReason::kShape, 4, 3'000'000));
  recorder->record_wasted(0, 750'000);
  recorder->record_refused(Outcome::kRejected);
  recorder->record_refused(Outcome::kInvalid);
  recorder->record_ended_early(Outcome::kTimeout, ended_after(1'000'000'000));

  EXPECT_EQ(value("inference_requests_total", {{"status", "success"}}), 1);
  EXPECT_EQ(value("inference_requests_total", {{"status", "failure"}}), 1);
  EXPECT_EQ(value("inference_requests_total", {{"status", "rejected"}}), 1);
  EXPECT_EQ(value("inference_requests_total", {{"status", "invalid"}}), 1);
  EXPECT_EQ(value("inference_requests_total", {{"status", "timeout"}}), 1);
  EXPECT_EQ(value("inference_latency_seconds_count"), 3);
  EXPECT_DOUBLE_EQ(value("inference_latency_seconds_sum"), 1.009);
  EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "0.005"}}), 2);
  EXPECT_EQ(value("inference_queue_seconds_count"), 2);
  EXPECT_EQ(value("inference_queue_seconds_bucket", {{"le", "2.5e-05"}}), 1);
  EXPECT_DOUBLE_EQ(value("inference_queue_seconds_sum"), 5e-5);
  EXPECT_EQ(value("inference_compute_seconds_count"), 1);
  EXPECT_EQ(value("inference_batch_size_bucket", {{"le", "2.0"}}), 0);
  EXPECT_EQ(value("inference_batch_size_bucket", {{"le", "4.0"}}), 1);
  EXPECT_EQ(value("inference_batches_total", {{"reason", "shape"}}), 1);
  EXPECT_DOUBLE_EQ(value("inference_busy_seconds_total", {{"model_instance", "0"}}), 0.003);
  EXPECT_DOUBLE_EQ(value("inference_wasted_seconds_total"), 0.00075);

  const RecordedTotals totals = recorder->totals();
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kTimeout)], 1U);
  EXPECT_EQ(totals.batches[static_cast<size_t>(ReleaseReason::kShape)], 1U);
  EXPECT_EQ(totals.latency.sum, 1'009'000'000U);
  EXPECT_EQ(totals.busy_ns, 3'000'000U);
  EXPECT_EQ(totals.wasted_ns, 750'000U);
}

TEST_F(RecorderTest, TimesThatRunBackwardsCountAsNothing) {
  const auto recorder = make();
  recorder->record_request(0, Outcome::kSuccess, timing(-5, -5, -5));
  recorder->record_batch(0, batch_of(ReleaseReason::kIdle, 1, -5));
  recorder->record_wasted(0, -5);
  recorder->record_ended_early(Outcome::kCancelled, ended_after(-5));
  EXPECT_EQ(value("inference_latency_seconds_count"), 2);
  EXPECT_EQ(value("inference_latency_seconds_sum"), 0);
  EXPECT_EQ(value("inference_wasted_seconds_total"), 0);
}

TEST_F(RecorderTest, OnlySuccessesWithinTheObjectiveCount) {
  const auto recorder = make("1", 1000);
  recorder->record_request(0, Outcome::kSuccess, timing(0, 0, 1000));
  recorder->record_request(0, Outcome::kSuccess, timing(0, 0, 1001));
  recorder->record_request(0, Outcome::kFailure, timing(0, 0, 1));
  EXPECT_EQ(value("inference_requests_within_objective_total"), 1);
}

TEST_F(RecorderTest, WithoutAnObjectiveItsSeriesAreAbsent) {
  const auto recorder = make();
  EXPECT_EQ(value("inference_requests_within_objective_total"), -1);
  EXPECT_EQ(value("inference_latency_objective_seconds"), -1);
}

// The clock steps 10 ns a reading, all of which the clock itself costs: what is left is two reads.
TEST_F(RecorderTest, RecordsItsOwnTime) {
  const auto recorder = make();
  recorder->end_recording(0, recorder->begin_recording(0, OwnTime::kLargeBatch));
  EXPECT_EQ(recorder->totals().telemetry_ns, 20U);
  // On a thread of its own, so that the sampling period starts here: one call in 64 is timed.
  std::thread caller([&] {
    for (int i = 0; i < 128; ++i) recorder->record_ended_early(Outcome::kCancelled, ended_after(1));
  });
  caller.join();
  EXPECT_EQ(recorder->totals().telemetry_ns, 20U + 2 * 20U);
}

// As the simulator drives it: no threads, and time that passes when it is told to.
TEST_F(RecorderTest, AVirtualClockIsNotRead) {
  VirtualClock clock;
  Recorder recorder(registry_, options_of("1", 2), some_readings(), clock);
  const int64_t reads = clock.reads();
  for (size_t i = 0; i < 1000; ++i) {
    const size_t instance = i % 2;
    const size_t requests = i % 3 == 0 ? OwnTime::kLargeBatch : 1;
    const OwnTime::Stretch recording = recorder.begin_recording(instance, requests);
    recorder.record_request(instance, Outcome::kSuccess, timing(1, 2, 3));
    recorder.record_batch(instance, batch_of(ReleaseReason::kFull, 1, 2));
    clock.advance(1'000'000'000);
    recorder.end_recording(instance, recording);
    recorder.record_refused(Outcome::kRejected);
    recorder.record_ended_early(Outcome::kTimeout, ended_after(5));
  }
  EXPECT_EQ(clock.reads(), reads);
  EXPECT_EQ(recorder.totals().telemetry_ns, 0U);
  EXPECT_EQ(value("inference_latency_seconds_count"), 2000);
}

TEST_F(RecorderTest, NoRecordOfManyCallersIsLost) {
  constexpr int kThreads = 6;
  constexpr int kEach = 1000;
  const auto recorder = make();
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        recorder->record_refused(Outcome::kRejected);
        recorder->record_ended_early(Outcome::kCancelled, ended_after(7));
      }
    });
  }
  for (int i = 0; i < kEach; ++i) {
    recorder->record_request(0, Outcome::kSuccess, timing(1, 1, 7));
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(value("inference_requests_total", {{"status", "rejected"}}), kThreads * kEach);
  EXPECT_EQ(value("inference_requests_total", {{"status", "cancelled"}}), kThreads * kEach);
  EXPECT_EQ(value("inference_latency_seconds_count"), (kThreads + 1) * kEach);
  EXPECT_EQ(recorder->totals().latency.sum, uint64_t{7} * (kThreads + 1) * kEach);
}

TEST_F(RecorderTest, ANameAndVersionIsTakenUntilClosed) {
  const auto first = make("1");
  EXPECT_THROW((void)make("1"), ConfigError);
  EXPECT_NE(value("inference_queue_depth"), -1);  // the refused one took nothing away
  first->close();
  first->close();
  const auto second = make("1");
  EXPECT_THROW((void)make("1"), ConfigError);
}

TEST_F(RecorderTest, VersionsShareSeriesAndCountersDoNotFall) {
  const auto first = make("1");
  auto second = make("2");
  first->record_request(0, Outcome::kSuccess, timing(1, 1, 1));
  second->record_request(0, Outcome::kSuccess, timing(1, 1, 1));
  EXPECT_EQ(value("inference_requests_total", {{"status", "success"}}), 2);
  EXPECT_EQ(value("inference_queue_depth"), 6);
  second.reset();
  EXPECT_EQ(value("inference_requests_total", {{"status", "success"}}), 2);
  EXPECT_EQ(value("inference_latency_seconds_count"), 2);
  EXPECT_EQ(value("inference_queue_depth"), 3);
  EXPECT_EQ(first->totals().requests[0], 1U);
  first->close();
  EXPECT_EQ(value("inference_requests_total", {{"status", "success"}}), -1);
  EXPECT_EQ(value("inference_queue_depth"), -1);
}

TEST_F(RecorderTest, StragglersAfterCloseAreHarmless) {
  const auto recorder = make();
  recorder->close();
  recorder->record_request(0, Outcome::kSuccess, timing(1, 1, 1));
  recorder->record_ended_early(Outcome::kShutdown, ended_after(1));
  EXPECT_EQ(registry_->render_text().find("inference_"), std::string::npos);
}

TEST_F(RecorderTest, NoRoomIsAnErrorThatLeavesNothingBehind) {
  RecorderOptions options = options_of("1", 3);
  options.latency_objective_ns = 1;
  options.padding = true;
  options.native_histograms = true;
  // Whatever it is that there is no room for.
  int refused = 0;
  for (RegistryOptions small{.arena_bytes = 4096};; small.arena_bytes += 4096) {
    const auto registry = Registry::create(small);
    const size_t used = registry->core().storage()->arena.used_words();
    const auto fits = [&] {
      try {
        const Recorder recorder(registry, options, some_readings(), clock_);
        return true;
      } catch (const ConfigError& error) {  // not that the name is taken
        EXPECT_NE(std::string(error.what()).find("no room"), std::string::npos) << error.what();
        EXPECT_EQ(registry->render_text().find("inference_"), std::string::npos);
        EXPECT_EQ(registry->core().storage()->arena.used_words(), used);  // rendering frees series
        return false;
      }
    };
    const bool first = fits();
    EXPECT_EQ(fits(), first);
    if (first) break;
    ++refused;
  }
  EXPECT_GT(refused, 10);
}

TEST_F(RecorderTest, RecordingAllocatesNothing) {
#if INFEROMETER_COUNTS_ALLOCATIONS
  const auto recorder = make("1", 1000);
  allocations = 0;
  counting = true;
  for (int i = 0; i < 200; ++i) {
    const OwnTime::Stretch recording = recorder->begin_recording(0, 1);
    recorder->record_request(0, Outcome::kSuccess, timing(1, 2, 3));
    recorder->record_batch(0, batch_of(ReleaseReason::kFull, 4, 2));
    recorder->record_wasted(0, 1);
    recorder->end_recording(0, recording);
    recorder->record_refused(Outcome::kRejected);
    recorder->record_ended_early(Outcome::kTimeout, ended_after(5));
  }
  counting = false;
  EXPECT_EQ(allocations, 0);
#else
  GTEST_SKIP() << "a sanitizer brings its own operator new";
#endif
}

}  // namespace
}  // namespace inferometer
