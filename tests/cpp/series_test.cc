#include "telemetry/record/series.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/record/histogram_cells.h"

namespace inferometer {
namespace {

class SeriesTest : public testing::Test {
 protected:
  double value(std::string_view name, Registry::LabelSet labels = {}) {
    labels.emplace("model_name", "m");
    return registry_->sample_value(name, labels).value_or(-1);
  }

  const std::shared_ptr<Registry> registry_ = Registry::create();
};

TEST_F(SeriesTest, CountersAddBaseAndStripesAndKeepThemOnDetach) {
  const auto series = registry_->acquire(Metric::kRequests, {"m", "success"});
  const Registry::LabelSet labels = {{"status", "success"}};
  Word* const first = registry_->allocate_words(1);
  Word* const second = registry_->allocate_words(1);
  series->attach(first);
  series->attach(second);
  add_shared(*series->base(), 1);
  add_single_writer(*first, 10);
  add_single_writer(*second, 100);
  EXPECT_EQ(value("inference_requests_total", labels), 111);
  series->detach(first);
  registry_->free_words(first, 1);
  EXPECT_EQ(value("inference_requests_total", labels), 111);
  add_single_writer(*second, 1);
  EXPECT_EQ(value("inference_requests_total", labels), 112);
  series->detach(second);
  series->detach(second);  // once is enough
  EXPECT_EQ(value("inference_requests_total", labels), 112);
}

TEST_F(SeriesTest, SeveralSeriesAreViewsOnTheSameWords) {
  const auto seconds = registry_->acquire(Metric::kLatency, {"m"});
  const auto micros = registry_->acquire(Metric::kTritonLatency, {"m", "1"});
  const size_t words = stripe_words(Metric::kLatency);
  Word* const stripe = registry_->allocate_words(words);
  seconds->attach(stripe);
  micros->attach(stripe);
  observe_single_writer(stripe, kLatencyBounds, 25'999);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "5e-05"}}), 1);
    EXPECT_DOUBLE_EQ(value("inference_latency_seconds_sum"), 25.999e-6);
    const Registry::LabelSet labels = {{"model", "m"}, {"version", "1"}};
    EXPECT_EQ(registry_->sample_value("nv_inference_request_latency_us_count", labels), 1);
    EXPECT_EQ(registry_->sample_value("nv_inference_request_latency_us_sum", labels), 25);
    if (i > 0) break;
    seconds->detach(stripe);  // each keeps what it has seen
    micros->detach(stripe);
    registry_->free_words(stripe, words);
  }
}

TEST_F(SeriesTest, HistogramsFoldBucketsAndSum) {
  const auto series = registry_->acquire(Metric::kLatency, {"m"});
  const size_t words = stripe_words(Metric::kLatency);
  Word* const stripe = registry_->allocate_words(words);
  series->attach(stripe);
  observe_single_writer(stripe, kLatencyBounds, 25'000);
  observe_single_writer(stripe, kLatencyBounds, 100'000'000'000);
  const auto check = [&] {
    EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "2.5e-05"}}), 1);
    EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "60.0"}}), 1);
    EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "+Inf"}}), 2);
    EXPECT_EQ(value("inference_latency_seconds_count"), 2);
    EXPECT_DOUBLE_EQ(value("inference_latency_seconds_sum"), 100.000025);
  };
  check();
  series->detach(stripe);
  check();
}

TEST_F(SeriesTest, GaugesAddUpAndLeaveOnDetach) {
  const auto series = registry_->acquire(Metric::kInFlight, {"m"});
  Word* const first = registry_->allocate_words(1);
  Word* const second = registry_->allocate_words(1);
  series->attach(first);
  series->attach(second);
  add_single_writer(*first, 3);
  add_single_writer(*second, ~uint64_t{0});  // -1: went up in one stripe, down in the other
  EXPECT_EQ(value("inference_in_flight"), 2);
  series->detach(first);
  EXPECT_EQ(value("inference_in_flight"), -1);
}

TEST_F(SeriesTest, ReadersAreAskedWhenRead) {
  const auto depth = registry_->acquire(Metric::kQueueDepth, {"m"});
  double waiting = 2;
  const uint64_t first = depth->attach_reader([&] { return waiting; });
  const uint64_t second = depth->attach_reader([] { return 3.0; });
  EXPECT_EQ(value("inference_queue_depth"), 5);
  waiting = 4;
  EXPECT_EQ(value("inference_queue_depth"), 7);
  EXPECT_NE(registry_->render_text().find("inference_queue_depth{model_name=\"m\"} 7\n"),
            std::string::npos);
  depth->detach_reader(first);
  depth->detach_reader(first);
  EXPECT_EQ(value("inference_queue_depth"), 3);
  depth->detach_reader(second);
  EXPECT_EQ(value("inference_queue_depth"), 0);
}

TEST_F(SeriesTest, ReadersAddToGaugesOfRealNumbersToo) {
  const auto load = registry_->acquire(Metric::kTritonLoadTime, {"m", "1"});
  *load->base() = std::bit_cast<uint64_t>(0.25);
  const uint64_t reader = load->attach_reader([] { return 1.5; });
  EXPECT_EQ(load->read().real, 1.75);
  load->detach_reader(reader);
  EXPECT_EQ(load->read().real, 0.25);
}

TEST_F(SeriesTest, AReaderThatThrowsOrIsNotFiniteContributesNothing) {
  const auto depth = registry_->acquire(Metric::kQueueDepth, {"m"});
  (void)depth->attach_reader([]() -> double { throw std::runtime_error("broken"); });
  (void)depth->attach_reader([] { return 1.0; });
  EXPECT_EQ(value("inference_queue_depth"), 1);
  (void)depth->attach_reader([] { return 0.0 / 0.0; });
  EXPECT_EQ(value("inference_queue_depth"), 0);
}

TEST_F(SeriesTest, TheOldestRequestIsTheOldestOfAllVersions) {
  const auto oldest = registry_->acquire(Metric::kOldestRequest, {"m"});
  EXPECT_EQ(value("inference_oldest_request_seconds"), 0);
  const uint64_t first = oldest->attach_reader([] { return 1.5; });
  (void)oldest->attach_reader([] { return 0.5; });
  EXPECT_EQ(value("inference_oldest_request_seconds"), 1.5);
  Word* const stripe = registry_->allocate_words(1);
  *stripe = 2'000'000'000;
  oldest->attach(stripe);
  EXPECT_EQ(value("inference_oldest_request_seconds"), 2);
  oldest->detach(stripe);
  oldest->detach_reader(first);
  EXPECT_EQ(value("inference_oldest_request_seconds"), 0.5);
}

TEST_F(SeriesTest, NanosecondsAreShownAsSeconds) {
  const auto busy = registry_->acquire(Metric::kBusy, {"m", "0"});
  add_shared(*busy->base(), 300'000'000);
  EXPECT_NE(registry_->render_text().find(
                "inference_busy_seconds_total{model_name=\"m\",model_instance=\"0\"} 0.3\n"),
            std::string::npos);
}

// The acceptance test of the whole recording scheme: single-writer stripes and shared base words,
// versions coming and going, and scrapes in between that must never see a counter fall or a
// histogram that disagrees with itself; at the end every observation is there.
TEST_F(SeriesTest, ScrapesAreConsistentWhileWritersComeAndGo) {
  constexpr int kWriters = 4;
  constexpr int kRounds = 20;
  constexpr int kObservations = 500;
  const auto latency = registry_->acquire(Metric::kLatency, {"m"});
  const auto requests = registry_->acquire(Metric::kRequests, {"m", "success"});
  std::atomic<int> running{kWriters};
  std::vector<std::thread> threads;
  threads.reserve(kWriters);
  for (int t = 0; t < kWriters; ++t) {
    threads.emplace_back([&, t] {
      const size_t words = stripe_words(Metric::kLatency);
      for (int round = 0; round < kRounds; ++round) {
        Word* const stripe = registry_->allocate_words(words);
        Word* const count = registry_->allocate_words(1);
        latency->attach(stripe);
        requests->attach(count);
        for (int i = 0; i < kObservations; ++i) {
          observe_single_writer(stripe, kLatencyBounds, 1000 * i + t);
          add_single_writer(*count, 1);
          observe_shared(latency->base(), kLatencyBounds, 7);
        }
        latency->detach(stripe);
        requests->detach(count);
        registry_->free_words(stripe, words);
        registry_->free_words(count, 1);
      }
      --running;
    });
  }
  double seen_count = 0;
  double seen_sum = 0;
  double seen_requests = 0;
  while (running > 0) {
    const double count = value("inference_latency_seconds_count");
    const double sum = value("inference_latency_seconds_sum");
    const double total = value("inference_requests_total", {{"status", "success"}});
    EXPECT_GE(count, seen_count);
    EXPECT_GE(sum, seen_sum);
    EXPECT_GE(total, seen_requests);
    seen_count = count;
    seen_sum = sum;
    seen_requests = total;
  }
  for (std::thread& thread : threads) thread.join();
  constexpr double kAll = static_cast<double>(kWriters) * kRounds * kObservations;
  EXPECT_EQ(value("inference_requests_total", {{"status", "success"}}), kAll);
  EXPECT_EQ(value("inference_latency_seconds_count"), 2 * kAll);
  int64_t sum = 0;
  for (int t = 0; t < kWriters; ++t) {
    for (int i = 0; i < kObservations; ++i) sum += int64_t{kRounds} * (1000 * i + t + 7);
  }
  EXPECT_EQ(value("inference_latency_seconds_sum"), static_cast<double>(sum) / 1e9);
}

}  // namespace
}  // namespace inferometer
