#include "serving/recorder_natives.h"

#include <atomic>
#include <thread>
#include <vector>

#include "recorder_fixture.h"

namespace inferometer {
namespace {

class RecorderNativesTest : public RecorderFixture {
 protected:
  // Made with native buckets, and kept so that they can be looked into when the recorder has gone.
  std::shared_ptr<Series> latency() { return registry_->acquire(Metric::kLatency, {"m"}, true); }

  // In the histogram's own buckets: what is attached to it is not among it.
  static uint64_t kept(const Series& series) {
    NativeReading reading(series.native()->schema());
    series.native()->read_into(reading);
    return reading.count();
  }
};

TEST_F(RecorderNativesTest, EachInstanceAndTheCallersHaveBucketsOfTheirOwn) {
  constexpr size_t kInstances = 3;
  constexpr int kEach = 2000;
  const auto series = latency();
  RecorderNatives natives;
  EXPECT_FALSE(natives.any());
  natives.attach(RecorderNatives::kLatency, series, kInstances);
  EXPECT_TRUE(natives.any());
  std::vector<std::thread> threads;
  for (size_t instance = 0; instance < kInstances; ++instance) {
    threads.emplace_back([&, instance] {
      for (int i = 0; i < kEach; ++i) natives.observe(RecorderNatives::kLatency, instance, 1000);
    });
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) natives.observe_shared(RecorderNatives::kLatency, 1000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kept(*series), 0U);
  natives.detach();
  EXPECT_EQ(kept(*series), 2 * kInstances * kEach);
  natives.detach();
  natives.observe(RecorderNatives::kLatency, kInstances - 1, 1000);
  natives.observe_shared(RecorderNatives::kLatency, 1000);
  EXPECT_EQ(kept(*series), 2 * kInstances * kEach);
}

TEST_F(RecorderNativesTest, AHistogramWithoutThemIsNotObserved) {
  RecorderNatives natives;
  natives.attach(RecorderNatives::kQueue, registry_->acquire(Metric::kQueue, {"m"}), 2);
  EXPECT_FALSE(natives.any());
  natives.observe(RecorderNatives::kQueue, 1, 1000);
  natives.observe_shared(RecorderNatives::kQueue, 1000);
  natives.detach();
}

TEST_F(RecorderNativesTest, ARecorderFillsThemFromAllItsInstances) {
  const auto requests = latency();
  const auto batches = registry_->acquire(Metric::kBatchSize, {"m"}, true);
  RecorderOptions options = options_of("1", 2);
  options.native_histograms = true;
  const auto recorder = make(options);
  for (size_t instance = 0; instance < 2; ++instance) {
    recorder->record_request(instance, Outcome::kSuccess, timing_of(1, 2));
    recorder->record_batch(instance, {.rows = 4});
  }
  recorder->record_ended_early(Outcome::kCancelled, ended_after(3));
  recorder->close();
  EXPECT_EQ(kept(*requests), 3U);
  EXPECT_EQ(kept(*batches), 2U);
}

// Plain loads and stores lose counts if two writers share a cell: instances run for as long as
// callers record, all into the same buckets.
TEST_F(RecorderNativesTest, NoTwoWritersShareCells) {
  constexpr size_t kInstances = 3;
  constexpr size_t kCallers = 4;
  constexpr uint64_t kEach = 200'000;
  const auto series = latency();
  RecorderOptions options = options_of("1", kInstances);
  options.native_histograms = true;
  const auto recorder = make(options);
  std::atomic<size_t> callers{kCallers};
  std::atomic<uint64_t> ran{0};
  std::vector<std::thread> threads;
  for (size_t instance = 0; instance < kInstances; ++instance) {
    threads.emplace_back([&, instance] {
      uint64_t mine = 0;
      for (; callers > 0; ++mine) {
        recorder->record_request(instance, Outcome::kCancelled, ended_after(1000));
      }
      ran += mine;
    });
  }
  for (size_t caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) {
        recorder->record_ended_early(Outcome::kCancelled, ended_after(1000));
      }
      --callers;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const uint64_t all = ran + kCallers * kEach;
  const RecordedTotals totals = recorder->totals();
  EXPECT_EQ(totals.requests[static_cast<size_t>(Outcome::kCancelled)], all);
  EXPECT_EQ(totals.latency.sum, all * 1000);
  recorder->close();
  EXPECT_EQ(kept(*series), all);
}

}  // namespace
}  // namespace inferometer
