// A source of families that answers only when a test lets it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "telemetry/record/collectors.h"
#include "telemetry/record/family_source.h"

namespace inferometer {

inline constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
inline constexpr CollectorOptions kLeftOutAtOnce{1, CollectorOptions::Late::kLeaveOut};
inline constexpr CollectorOptions kShownAtOnce{1, CollectorOptions::Late::kShowLast};
inline constexpr CollectorOptions kAwaited{int64_t{3600} * 1'000'000'000,
                                           CollectorOptions::Late::kLeaveOut};

/// One gauge without labels.
inline Collected one_gauge(std::string name, double value) {
  ForeignSeries series;
  series.value = value;
  Collected collected;
  collected.families.push_back({std::move(name), "", MetricType::kGauge, {std::move(series)}});
  return collected;
}

/// Each call takes a permit, and gives gauge `name`, whose value says how many calls had begun.
/// Calls that overlap are counted. Thread-safe.
class GatedSource final : public FamilySource {
 public:
  explicit GatedSource(std::string name, std::ptrdiff_t permits = 0)
      : name_(std::move(name)), permits_(permits) {}

  [[nodiscard]] Collected collect() override {
    const std::unique_lock<std::mutex> alone(alone_, std::try_to_lock);
    if (!alone.owns_lock()) ++overlapping_;
    const int call = ++begun_;
    permits_.acquire();
    return one_gauge(name_, call);
  }

  void permit(std::ptrdiff_t calls = 1) { permits_.release(calls); }
  void await_call(int call) const {
    while (begun_ < call) std::this_thread::yield();
  }
  [[nodiscard]] int begun() const { return begun_; }
  [[nodiscard]] int overlapping() const { return overlapping_; }

 private:
  const std::string name_;
  std::mutex alone_;
  std::counting_semaphore<> permits_;
  std::atomic<int> begun_{0};
  std::atomic<int> overlapping_{0};
};

}  // namespace inferometer
