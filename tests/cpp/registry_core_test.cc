// Foreign collectors and sources in a registry's exposition: the time they may take, and their
// threads.
#include "telemetry/record/registry_core.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <semaphore>
#include <set>
#include <string>
#include <vector>

#include "fixed_collectable.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "thread_list.h"

namespace inferometer {
namespace {

std::vector<prometheus::MetricFamily> one_family(const std::string& name, double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.type = prometheus::MetricType::Gauge;
  family.metric.resize(1);
  family.metric[0].gauge.value = value;
  return {family};
}

double own(const std::string& text, const std::string& name) {
  const size_t at = text.find("\n" + name + " ");
  return std::stod(text.substr(at + name.size() + 2));
}

class RegistryCoreTest : public testing::Test {
 protected:
  // What waits for a collector that does not answer hangs the test.
  const std::shared_ptr<Registry> registry_ = Registry::create({.collector_timeout_seconds = 3600});
};

// Collect() blocks until it is let go.
class Hanging final : public prometheus::Collectable {
 public:
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    entered_.release();
    leave_.acquire();
    return one_family("late", 1);
  }
  void await_call() { entered_.acquire(); }
  void let_go(std::ptrdiff_t calls) { leave_.release(calls); }

 private:
  mutable std::counting_semaphore<> entered_{0};
  mutable std::counting_semaphore<> leave_{0};
};

TEST_F(RegistryCoreTest, AHangingCollectorIsCountedAndTheRestIsServed) {
  const auto registry = Registry::create({.collector_timeout_seconds = 0.01});
  const auto hanging = std::make_shared<Hanging>();
  registry->add_collectable(hanging);
  registry->add_collectable(std::make_shared<FixedCollectable>(one_family("heat", 1)));
  registry->gauge("ours", "").set(1);
  // On a busy machine even the fixed one may be late.
  std::string text = registry->render_text();
  while (text.find("\nheat 1.0\n") == std::string::npos) text = registry->render_text();
  EXPECT_GE(own(text, "inferometer_collector_errors_total"), 1);
  EXPECT_NE(text.find("\nours 1.0\n"), std::string::npos);
  EXPECT_EQ(text.find("\nlate "), std::string::npos);
  hanging->let_go(1'000'000);
  while (text.find("\nlate 1.0\n") == std::string::npos) text = registry->render_text();
}

TEST_F(RegistryCoreTest, NeitherRemovalNorTheEndOfTheRegistryWaitForAHangingCollector) {
  auto removed = std::make_shared<Hanging>();
  auto left = std::make_shared<Hanging>();
  auto registry = Registry::create({.collector_timeout_seconds = 0.001});
  registry->add_collectable(removed);
  registry->add_collectable(left);
  (void)registry->render_text();
  removed->await_call();
  left->await_call();
  registry->remove_collectable(removed);
  registry.reset();
  const std::weak_ptr<Hanging> held[] = {removed, left};
  removed->let_go(1);
  left->let_go(1);
  removed.reset();
  left.reset();
  while (!held[0].expired() || !held[1].expired()) std::this_thread::yield();
}

TEST_F(RegistryCoreTest, AThreadIsMadeByTheFirstExpositionAndEndsWithItsCollector) {
  const std::set<std::string> before = thread_ids();
  const auto fixed = std::make_shared<FixedCollectable>(one_family("heat", 1));
  registry_->add_collectable(fixed);
  EXPECT_EQ(threads_since(before).size(), 0U);
  (void)registry_->render_text();
  (void)registry_->render_text();
  const std::vector<std::string> started = threads_since(before);
  EXPECT_EQ(started.size(), 1U);
  registry_->remove_collectable(fixed);
  EXPECT_EQ(fixed.use_count(), 1);
  await_end_of(started);
}

TEST_F(RegistryCoreTest, ACollectorMayRenderTheRegistryThatAsksIt) {
  class Curious final : public prometheus::Collectable {
   public:
    explicit Curious(const Registry& registry) : registry_(registry) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      const bool seen = registry_.render_text().find("\nours 1.0\n") != std::string::npos;
      return one_family("seen", seen ? 1 : 0);
    }

   private:
    const Registry& registry_;
  };
  registry_->gauge("ours", "").set(1);
  registry_->add_collectable(std::make_shared<Curious>(*registry_));
  EXPECT_EQ(registry_->sample_value("seen"), 1);
}

TEST_F(RegistryCoreTest, TimeoutsOutOfRangeAreRefused) {
  for (const double seconds : {0.0, -1.0, 3601.0, std::nan("")}) {
    try {
      (void)Registry::create({.collector_timeout_seconds = seconds});
      ADD_FAILURE() << seconds;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("want more than 0 and at most 3600.0 seconds"),
                std::string::npos)
          << error.what();
    }
  }
}

// A source as the bindings have one.
class Asked final : public FamilySource {
 public:
  [[nodiscard]] Collected collect() override {
    leave.acquire();
    Collected collected;
    collected.families.push_back({"asked", "", MetricType::kGauge, {ForeignSeries{}}});
    collected.dropped = 2;
    collected.errors = 3;
    return collected;
  }
  std::counting_semaphore<> leave{0};
};

TEST_F(RegistryCoreTest, ASourceThatIsLateIsStale) {
  const auto source = std::make_shared<Asked>();
  constexpr const char* kStale = "inferometer_python_collectors_stale";
  EXPECT_FALSE(registry_->sample_value(kStale));  // there is nothing that could be
  registry_->add_source(source, 1);
  EXPECT_EQ(registry_->sample_value(kStale), 1);
  EXPECT_EQ(registry_->sample_value("asked"), std::nullopt);
  // Whoever does not ask it sees nothing stale.
  EXPECT_NE(registry_->render({}, Shown::kOwn).body.find(std::string(kStale) + " 0\n"),
            std::string::npos);
  source->leave.release(1'000'000);
  while (!registry_->sample_value("asked")) std::this_thread::yield();
  registry_->remove_source(*source);
  EXPECT_FALSE(registry_->sample_value(kStale));
}

TEST_F(RegistryCoreTest, ASourceThatAnswersIsNotStaleAndSaysWhatItLeftOut) {
  const auto source = std::make_shared<Asked>();
  source->leave.release(1'000);
  registry_->add_source(source, int64_t{3600} * 1'000'000'000);
  const std::string text = registry_->render_text();
  EXPECT_EQ(own(text, "inferometer_python_collectors_stale"), 0);
  EXPECT_EQ(own(text, "inferometer_dropped_series_total"), 2);
  EXPECT_EQ(own(text, "inferometer_collector_errors_total"), 3);
  EXPECT_NE(text.find("\nasked 0.0\n"), std::string::npos);
  const auto has = [](const std::vector<std::string>& names) {
    return std::ranges::find(names, "asked") != names.end();
  };
  EXPECT_TRUE(has(registry_->family_names()));
  EXPECT_FALSE(has(registry_->family_names(Shown::kOwn)));
}

}  // namespace
}  // namespace inferometer
