#include "telemetry/record/history_switch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "thread_list.h"

namespace inferometer {
namespace {

constexpr HistoryOptions kHourly{.seconds = 36'000, .interval_seconds = 3600};
constexpr HistoryOptions kFast{.seconds = 1, .interval_seconds = 0.01};

HistoryStats stats_of(const Registry& registry) {
  return registry.history_stats().value_or(HistoryStats{});
}

// Samples a history by its thread, not by hand.
void await_samples(const Registry& registry, size_t count) {
  while (stats_of(registry).samples < count) std::this_thread::yield();
}

TEST(HistorySwitchTest, OffUntilStarted) {
  const auto registry = Registry::create();
  EXPECT_FALSE(registry->history_stats());
  const std::string error = error_of([&] { (void)registry->history("inference_queue_depth"); });
  EXPECT_NE(error.find("call start_history() on this registry first"), std::string::npos) << error;
  EXPECT_EQ(error_of([&] { registry->sample_history(); }), error);
  EXPECT_EQ(error_of([&] { (void)registry->history_series("inference_queue_depth"); }), error);
  registry->stop_history();
}

TEST(HistorySwitchTest, NoThreadWithoutAHistory) {
  const auto registry = Registry::create();
  const std::set<std::string> before = thread_ids();
  registry->start_history(kHourly);
  const std::vector<std::string> started = threads_since(before);
  EXPECT_EQ(started.size(), 1U);
  registry->stop_history();
  await_end_of(started);
}

TEST(HistorySwitchTest, StartsWithASampleAndTakesMoreByHand) {
  const auto registry = Registry::create();
  const auto depth = registry->acquire(Metric::kQueueDepth, {"m"});
  registry->start_history(kHourly);
  EXPECT_EQ(stats_of(*registry).samples, 1U);
  add_shared(*depth->base(), 3);
  registry->sample_history();
  const Registry::LabelSet labels{{"model_name", "m"}};
  EXPECT_EQ(registry->history("inference_queue_depth", labels).values, (std::vector<double>{0, 3}));
  EXPECT_EQ(registry->history_series("inference_queue_depth"), std::vector{labels});
}

TEST(HistorySwitchTest, TheThreadSamples) {
  const auto registry = Registry::create();
  registry->start_history(kFast);
  await_samples(*registry, 4);
}

TEST(HistorySwitchTest, StartingAgainIsFineWithTheSameOptionsOnly) {
  const auto registry = Registry::create();
  registry->start_history(kHourly);
  registry->sample_history();
  registry->start_history(kHourly);
  EXPECT_EQ(stats_of(*registry).samples, 2U);
  EXPECT_EQ(error_of([&] { registry->start_history(kFast); }),
            "got a history with seconds=1.0, interval=0.01, max_bytes=67108864 while one with "
            "seconds=36000.0, interval=3600.0, max_bytes=67108864 is running, want the same "
            "options, or stop_history() first");
  registry->stop_history();
  EXPECT_FALSE(registry->history_stats());
  registry->start_history(kFast);
  EXPECT_EQ(stats_of(*registry).options, kFast);
}

TEST(HistorySwitchTest, OptionsOutOfRangeStartNothing) {
  const auto registry = Registry::create();
  EXPECT_NE(error_of([&] { registry->start_history({.seconds = 0}); }), "");
  EXPECT_FALSE(registry->history_stats());
}

TEST(HistorySwitchTest, StartStopReadAndSampleAtOnce) {
  const auto registry = Registry::create();
  const auto depth = registry->acquire(Metric::kQueueDepth, {"m"});
  std::atomic<bool> stop{false};
  std::atomic<int> curves{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  threads.emplace_back([&] {
    while (!stop) {
      registry->start_history(kFast);
      registry->stop_history();
    }
  });
  threads.emplace_back([&] {
    while (!stop) {
      try {
        registry->start_history(kFast);
        registry->sample_history();
      } catch (const ConfigError&) {
        // Stopped in between.
      }
    }
  });
  threads.emplace_back([&] {
    while (!stop) {
      const auto passing = registry->acquire(Metric::kQueueDepth, {"passing"});
      add_shared(*depth->base(), 1);
      (void)registry->render_text();
    }
  });
  threads.emplace_back([&] {
    while (!stop) {
      try {
        const auto curve = registry->history("inference_queue_depth", {{"model_name", "m"}});
        for (size_t i = 1; i < curve.values.size(); ++i) {
          ASSERT_GE(curve.values[i], curve.values[i - 1]);
        }
        ++curves;
      } catch (const ConfigError&) {
        // None is running just now.
      }
    }
  });
  while (curves < 200) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(HistorySwitchTest, AForkedChildHasNoneAndTheParentGoesOn) {
  const auto registry = Registry::create();
  registry->start_history(kFast);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);  // a child that hangs is ended, which fails the test
      bool good = !registry->history_stats() &&
                  !error_of([&] { (void)registry->history("inference_queue_depth"); }).empty();
      registry->stop_history();
// ThreadSanitizer ends a child that starts threads; with AddressSanitizer it may hang.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
      registry->start_history(kHourly);
      registry->sample_history();
      good = good && stats_of(*registry).samples == 2;
      registry->stop_history();
#endif
      _exit(good ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  const auto newest = [&] {
    return registry->history("inferometer_dropped_series_total").times.back();
  };
  const double before = newest();
  while (newest() == before) std::this_thread::yield();
}

TEST(HistorySwitchTest, AChildMayDestroyTheRegistryOfARunningHistory) {
  auto registry = Registry::create();
  registry->start_history(kFast);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    registry.reset();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace inferometer
