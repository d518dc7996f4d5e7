#include "telemetry/record/history_core.h"

#include <cmath>
#include <new>
#include <utility>

#include "inferometer/errors.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

size_t room_for_rings(const HistoryOptions& options, size_t samples) {
  return static_cast<size_t>(options.max_bytes) - history_times_bytes(samples);
}

}  // namespace

HistoryCore::HistoryCore(std::shared_ptr<RegistryCore> registry, const HistoryOptions& options,
                         Clocks clocks)
    : registry_(std::move(registry)),
      options_(options),
      clocks_(clocks),
      times_(options.samples()),
      rings_(times_.size(), room_for_rings(options, times_.size())),
      sink_(rings_) {}

void HistoryCore::sample() {
  MutexLock lock(mutex_);
  const HistoryTime now{clocks_.wall.now_ns(), clocks_.steady.now_ns()};
  sink_.begin();
  registry_->visit_catalogue(sink_);
  sink_.commit(ticks_);
  times_[ticks_ % times_.size()] = now;
  ++ticks_;
  // Only a series that vanished can have fallen out.
  if (sink_.kept() != rings_.size()) rings_.forget(ticks_);
}

void HistoryCore::sample_or_lose() noexcept {
  try {
    sample();
  } catch (const std::bad_alloc&) {
    MutexLock lock(mutex_);
    ++lost_;
  }
}

HistoryCurve HistoryCore::curve(std::string_view name, const Registry::LabelSet& labels,
                                double seconds) const {
  if (!(seconds > 0)) {
    throw ConfigError("history seconds: got " + float_text(seconds) + ", want more than 0");
  }
  const HistorySample sample(name);
  const HistorySample::Place place = sample.place(labels);
  const int64_t reach_ns = seconds_to_ns(seconds);
  const int64_t now_ns = clocks_.steady.now_ns();

  MutexLock lock(mutex_);
  uint64_t first = oldest_locked();
  while (first < ticks_ && now_ns - time_locked(first).steady_ns > reach_ns) ++first;
  const HistoryRing* const ring = rings_.find(sample.metric(), place.label_text);
  HistoryCurve curve{.times = {}, .values = {}, .columns = place.columns};
  curve.times.reserve(ticks_ - first);
  curve.values.reserve((ticks_ - first) * place.columns);
  for (uint64_t tick = first; tick < ticks_; ++tick) {
    curve.times.push_back(ns_to_seconds(time_locked(tick).wall_ns));
    for (size_t i = 0; i < place.columns; ++i) {
      curve.values.push_back(ring == nullptr ? std::nan("") : ring->at(tick, place.column + i));
    }
  }
  return curve;
}

std::vector<Registry::LabelSet> HistoryCore::series(std::string_view name) const {
  const HistorySample sample(name);
  std::vector<Registry::LabelSet> labels;
  MutexLock lock(mutex_);
  for (const auto& [text, ring] : rings_.of(sample.metric())) {
    sample.append_labels(text, labels);
  }
  return labels;
}

HistoryStats HistoryCore::stats() const {
  MutexLock lock(mutex_);
  return {.options = options_,
          .samples = static_cast<size_t>(ticks_ - oldest_locked()),
          .series = rings_.size(),
          .left_out = sink_.left_out(),
          .lost = lost_,
          .bytes = history_times_bytes(times_.size()) + rings_.bytes()};
}

}  // namespace inferometer
