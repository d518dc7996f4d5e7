#include "monitor/sampler.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/registry.h"
#include "machine_files.h"

namespace inferometer {
namespace {

using Read = std::function<void(std::vector<Reading>&)>;

class FakeSource final : public Source {
 public:
  explicit FakeSource(Read read) : read_(std::move(read)) {}
  void read(std::vector<Reading>& readings) override { read_(readings); }

 private:
  Read read_;
};

class SamplerTest : public testing::Test {
 protected:
  void watch(const Read& read) {
    registry_->add_refresher("fake", std::make_shared<Sampler>(
                                         [this, read] {
                                           ++sources_;
                                           return std::make_unique<FakeSource>(read);
                                         },
                                         clock_));
  }
  std::optional<double> temperature(const std::string& device = "0") const {
    return registry_->sample_value("gpu_temperature_celsius", {{"device_id", device}});
  }
  double errors() const {
    return registry_->sample_value("inferometer_collector_errors_total").value_or(-1);
  }
  static Reading degrees(double value, const std::string& device = "0") {
    return {Metric::kGpuTemperature, value, {device}};
  }

  StillClock clock_;
  const std::shared_ptr<Registry> registry_ = Registry::create();
  std::atomic<int> sources_{0};
};

TEST_F(SamplerTest, ReadsWhenShownAndAtMostEveryTwoSeconds) {
  int reads = 0;
  watch([&](auto& readings) { readings.push_back(degrees(++reads)); });
  clock_.pass(100 * kNanosPerSecond);
  EXPECT_EQ(sources_, 0);
  EXPECT_EQ(temperature(), 1);
  EXPECT_EQ(temperature(), 1);
  clock_.pass(Sampler::kMinAge - 1);
  EXPECT_EQ(temperature(), 1);
  clock_.pass(1);
  EXPECT_EQ(temperature(), 2);
  clock_.pass(100 * kNanosPerSecond);
  EXPECT_EQ(reads, 2);  // nobody looked
  EXPECT_EQ(temperature(), 3);
  EXPECT_EQ(sources_, 1);
}

TEST_F(SamplerTest, IntegersAndFloats) {
  watch([](auto& readings) {
    readings.push_back({Metric::kGpuMemoryUsed, 9007199254740991, {"0"}});
    readings.push_back({Metric::kGpuUtilization, 0.07, {"0"}});
  });
  const std::string text = registry_->render_text();
  EXPECT_NE(text.find("gpu_memory_used_bytes{device_id=\"0\"} 9007199254740991\n"),
            std::string::npos);
  EXPECT_NE(text.find("gpu_utilization_ratio{device_id=\"0\"} 0.07\n"), std::string::npos);
}

TEST_F(SamplerTest, SeriesComeAndGoWithTheirReadings) {
  std::vector<Reading> now = {degrees(40, "0"), degrees(41, "1")};
  watch([&](auto& readings) { readings = now; });
  EXPECT_EQ(temperature("0"), 40);
  EXPECT_EQ(temperature("1"), 41);
  clock_.pass(Sampler::kMinAge);
  now = {degrees(42, "1")};
  EXPECT_FALSE(temperature("0"));
  EXPECT_EQ(temperature("1"), 42);
  clock_.pass(Sampler::kMinAge);
  now = {};
  EXPECT_EQ(registry_->render_text().find("gpu_temperature_celsius"), std::string::npos);
  clock_.pass(Sampler::kMinAge);
  now = {degrees(43, "0")};
  EXPECT_EQ(temperature("0"), 43);
}

TEST_F(SamplerTest, ASourceThatThrowsIsCountedAndShowsNothing) {
  bool broken = false;
  watch([&](auto& readings) {
    readings.push_back(degrees(40));
    if (broken) throw std::runtime_error("no");
  });
  EXPECT_EQ(temperature(), 40);
  EXPECT_EQ(errors(), 0);
  broken = true;
  clock_.pass(Sampler::kMinAge);
  EXPECT_FALSE(temperature());
  EXPECT_FALSE(temperature());
  EXPECT_EQ(errors(), 1);  // once in two seconds
  broken = false;
  clock_.pass(Sampler::kMinAge);
  EXPECT_EQ(temperature(), 40);
  EXPECT_EQ(errors(), 1);
}

TEST_F(SamplerTest, ASourceThatCannotBeMadeIsCounted) {
  bool broken = true;
  registry_->add_refresher("fake", std::make_shared<Sampler>(
                                       [&]() -> std::unique_ptr<Source> {
                                         if (broken) throw std::runtime_error("no");
                                         return std::make_unique<FakeSource>([](auto& readings) {
                                           readings.push_back(degrees(1));
                                         });
                                       },
                                       clock_));
  EXPECT_FALSE(temperature());
  EXPECT_EQ(errors(), 1);
  broken = false;
  clock_.pass(Sampler::kMinAge);
  EXPECT_EQ(temperature(), 1);
}

TEST_F(SamplerTest, AReadingThatCannotBeShownIsCounted) {
  watch([](auto& readings) { readings.push_back(degrees(1, "\xff")); });
  EXPECT_EQ(errors(), 1);
  EXPECT_EQ(registry_->render_text().find("gpu_temperature_celsius"), std::string::npos);
}

TEST_F(SamplerTest, TheSecondOfANameIsLeftOut) {
  watch([](auto& readings) { readings.push_back(degrees(1)); });
  watch([](auto& readings) { readings.push_back(degrees(2)); });
  EXPECT_EQ(temperature(), 1);
}

TEST_F(SamplerTest, ASourceThatHangsHoldsUpOneExposition) {
  std::latch reading(1);
  std::latch go_on(1);
  int reads = 0;
  watch([&](auto& readings) {
    if (++reads == 2) {
      reading.count_down();
      go_on.wait();
    }
    readings.push_back(degrees(reads));
  });
  EXPECT_EQ(temperature(), 1);
  clock_.pass(Sampler::kMinAge);
  std::thread first([&] { EXPECT_EQ(temperature(), 2); });
  reading.wait();
  EXPECT_EQ(temperature(), 1);  // what is there
  go_on.count_down();
  first.join();
  EXPECT_EQ(temperature(), 2);
  EXPECT_EQ(reads, 2);
}

TEST_F(SamplerTest, ManyExpositionsAtOnceReadOnceATime) {
  std::atomic<int> inside{0};
  int reads = 0;  // not atomic: the turn protects it
  watch([&](auto& readings) {
    EXPECT_EQ(++inside, 1);
    readings.push_back(degrees(++reads));
    --inside;
  });
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        clock_.pass(Sampler::kMinAge);
        (void)registry_->render_text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  clock_.pass(Sampler::kMinAge);
  EXPECT_EQ(temperature(), reads);
  EXPECT_LE(reads, 801);
  EXPECT_EQ(sources_, 1);
}

// Runs `check` in a forked child, which an alarm ends should it hang.
void in_child(const std::function<bool()>& check) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    _exit(check() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SamplerTest, AForkedChildReadsAtOnceFromASourceOfItsOwn) {
  const pid_t parent = getpid();
  watch([parent](auto& readings) {
    readings.push_back(getpid() == parent ? degrees(1, "parent") : degrees(2, "child"));
  });
  EXPECT_EQ(temperature("parent"), 1);
  in_child([&] { return temperature("child") == 2 && !temperature("parent") && sources_ == 2; });
  EXPECT_EQ(temperature("parent"), 1);
  EXPECT_FALSE(temperature("child"));
  EXPECT_EQ(sources_, 1);
}

TEST_F(SamplerTest, AForkWhileAThreadReadsLeavesTheChildFree) {
  const pid_t parent = getpid();
  std::latch reading(1);
  std::latch go_on(1);
  watch([&, parent](auto& readings) {
    if (getpid() == parent) {
      reading.count_down();
      go_on.wait();
    }
    readings.push_back(degrees(1));
  });
  std::thread first([&] { EXPECT_EQ(temperature(), 1); });
  reading.wait();
  in_child([&] { return temperature() == 1; });
  go_on.count_down();
  first.join();
}

TEST_F(SamplerTest, ForksWhileThreadsShow) {
  watch([](auto& readings) { readings.push_back(degrees(1)); });
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        clock_.pass(Sampler::kMinAge);
        (void)registry_->render_text();
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    in_child([&] { return temperature() == 1; });
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SamplerTest, TheRegistryMayGoInAChild) {
  auto registry = Registry::create();
  registry->add_refresher("fake", std::make_shared<Sampler>(
                                      [] {
                                        return std::make_unique<FakeSource>(
                                            [](auto& readings) { readings.push_back(degrees(1)); });
                                      },
                                      clock_));
  (void)registry->render_text();
  in_child([&] {
    registry.reset();
    return true;
  });
}

}  // namespace
}  // namespace inferometer
