#include "telemetry/record/history_core.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "stopped_clock.h"
#include "telemetry/record/histogram_cells.h"

namespace inferometer {
namespace {

constexpr double kAll = std::numeric_limits<double>::infinity();
const Registry::LabelSet kModelA{{"model_name", "a"}};

class HistoryCoreTest : public testing::Test {
 protected:
  std::shared_ptr<Series> series(Metric metric, std::string_view model = "a") {
    return registry_->family(metric).get({&model, 1});
  }
  std::shared_ptr<HistoryCore> make(const HistoryOptions& options) {
    return std::make_shared<HistoryCore>(registry_, options, HistoryCore::Clocks{wall_, steady_});
  }
  void sample(HistoryCore& history) {
    history.sample();
    wall_.advance(kNanosPerSecond);
    steady_.advance(kNanosPerSecond);
  }

  const std::shared_ptr<RegistryCore> registry_ = std::make_shared<RegistryCore>(RegistryOptions{});
  StoppedClock wall_{1'700'000'000 * kNanosPerSecond};
  StoppedClock steady_{5 * kNanosPerSecond};
};

TEST_F(HistoryCoreTest, KeepsTheLastSamples) {
  const auto depth = series(Metric::kQueueDepth);
  const auto history = make({.seconds = 4});
  for (int i = 0; i < 10; ++i) {
    add_shared(*depth->base(), 1);
    sample(*history);
  }
  const HistoryCurve curve = history->curve("inference_queue_depth", kModelA, kAll);
  EXPECT_EQ(curve.times,
            (std::vector<double>{1'700'000'006, 1'700'000'007, 1'700'000'008, 1'700'000'009}));
  EXPECT_EQ(curve.values, (std::vector<double>{7, 8, 9, 10}));
}

TEST_F(HistoryCoreTest, SecondsReachBackFromNowByTheSteadyClock) {
  const auto depth = series(Metric::kQueueDepth);
  const auto history = make({.seconds = 10});
  for (int i = 0; i < 5; ++i) {
    sample(*history);
    if (i == 2) wall_.advance(-3600 * kNanosPerSecond);  // somebody sets the clock
  }
  const auto samples = [&](double seconds) {
    return history->curve("inference_queue_depth", kModelA, seconds).times.size();
  };
  EXPECT_EQ(samples(0.5), 0U);
  EXPECT_EQ(samples(1), 1U);
  EXPECT_EQ(samples(3.2), 3U);
  EXPECT_EQ(samples(1e300), 5U);
  steady_.advance(3600 * kNanosPerSecond);
  EXPECT_EQ(samples(3600), 0U);
  EXPECT_EQ(samples(3601), 1U);
}

TEST_F(HistoryCoreTest, ASeriesThatVanishesFallsOutOfTheWindow) {
  const auto history = make({.seconds = 3});
  auto depth = series(Metric::kQueueDepth);
  sample(*history);
  const size_t with = history->stats().series;
  depth.reset();
  sample(*history);
  sample(*history);
  EXPECT_EQ(history->stats().series, with);
  const HistoryCurve curve = history->curve("inference_queue_depth", kModelA, kAll);
  EXPECT_EQ(curve.values[0], 0);
  EXPECT_TRUE(std::isnan(curve.values[1]) && std::isnan(curve.values[2]));
  EXPECT_EQ(history->series("inference_queue_depth"), std::vector{kModelA});
  sample(*history);
  EXPECT_EQ(history->stats().series, with - 1);
  EXPECT_TRUE(history->series("inference_queue_depth").empty());
  // What there is nothing of is NaN, not an error: the series may be about to appear.
  const HistoryCurve gone = history->curve("inference_queue_depth", kModelA, kAll);
  EXPECT_EQ(gone.times.size(), 3U);
  for (const double value : gone.values) EXPECT_TRUE(std::isnan(value));
}

TEST_F(HistoryCoreTest, AllBucketsAtOnce) {
  const auto rows = series(Metric::kBatchSize);
  const auto history = make({.seconds = 3});
  sample(*history);
  observe_shared(rows->base(), kBatchSizeBounds, 500);
  sample(*history);
  const HistoryCurve curve = history->curve("inference_batch_size_bucket", kModelA, kAll);
  EXPECT_EQ(curve.times.size(), 2U);
  EXPECT_EQ(curve.columns, 12U);
  std::vector<double> wanted(24, 0);
  for (size_t i = 21; i < wanted.size(); ++i) wanted[i] = 1;  // 512, 1024, +Inf
  EXPECT_EQ(curve.values, wanted);
}

TEST_F(HistoryCoreTest, NothingYet) {
  const auto history = make({});
  EXPECT_TRUE(history->curve("inference_queue_depth", kModelA, kAll).times.empty());
  EXPECT_EQ(history->stats().samples, 0U);
}

TEST_F(HistoryCoreTest, MemoryStaysBelowItsBound) {
  const HistoryOptions options{.seconds = 100, .max_bytes = 10'000};
  const auto history = make(options);
  const size_t empty = history->stats().bytes;
  EXPECT_EQ(empty, history_times_bytes(100));
  std::vector<std::shared_ptr<Series>> held;
  held.reserve(50);
  for (int i = 0; i < 50; ++i) {
    held.push_back(series(Metric::kQueueDepth, std::to_string(i)));
    sample(*history);
    EXPECT_LE(history->stats().bytes, 10'000U);
  }
  const HistoryStats stats = history->stats();
  EXPECT_EQ(stats.options, options);
  EXPECT_EQ(stats.samples, 50U);
  EXPECT_GT(stats.series, 3U);
  EXPECT_EQ(stats.series + stats.left_out, 50 + 3U);
  // Those that came first are kept; room is made by those that fall out.
  held.clear();
  for (int i = 0; i < 101; ++i) sample(*history);
  EXPECT_EQ(history->stats().left_out, 0U);
  const auto fresh = series(Metric::kQueueDepth, "fresh");
  sample(*history);
  EXPECT_EQ(history->curve("inference_queue_depth", {{"model_name", "fresh"}}, 1).values,
            std::vector<double>{0});
}

TEST_F(HistoryCoreTest, WrongQuestionsAreRefused) {
  const auto history = make({});
  for (const double seconds : {0.0, -1.0, std::nan("")}) {
    EXPECT_THROW((void)history->curve("inference_queue_depth", kModelA, seconds), ConfigError);
  }
  EXPECT_THROW((void)history->curve("nothing", {}, kAll), ConfigError);
  EXPECT_THROW((void)history->curve("inference_queue_depth", {}, kAll), ConfigError);
  EXPECT_THROW((void)history->series("nothing"), ConfigError);
  EXPECT_THROW((void)make({.seconds = -1}), ConfigError);
}

TEST_F(HistoryCoreTest, ReadersSeeWholeRowsWhileSamplesAreTaken) {
  const auto rows = series(Metric::kBatchSize);
  const auto history = make({.seconds = 16});
  constexpr int kTicks = 2000;
  std::thread sampler([&] {
    for (int i = 0; i < kTicks; ++i) {
      observe_shared(rows->base(), kBatchSizeBounds, 1);
      const auto passing = series(Metric::kQueueDepth, i % 2 == 0 ? "even" : "odd");
      sample(*history);
    }
  });
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      double last = 0;
      while (last < kTicks) {
        const HistoryCurve curve = history->curve("inference_batch_size_sum", kModelA, kAll);
        for (size_t i = 1; i < curve.values.size(); ++i) {
          ASSERT_EQ(curve.values[i], curve.values[i - 1] + 1);
        }
        if (curve.values.empty()) continue;
        ASSERT_GE(curve.values.back(), last);
        last = curve.values.back();
        ASSERT_LE(history->series("inference_queue_depth").size(), 2U);
      }
    });
  }
  sampler.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(history->stats().samples, 16U);
}

}  // namespace
}  // namespace inferometer
