// When a source is read, and how its readings become series.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "inferometer/clock.h"
#include "monitor/source.h"
#include "telemetry/record/refresher.h"
#include "telemetry/record/series.h"

namespace inferometer {

/// Reads a source when a registry is shown, unless the last reading is younger than kMinAge. The
/// series of the last reading are held, and so shown; a series that it lacks vanishes.
///
/// The source is read without a lock, by one thread at a time: a source that hangs holds up one
/// exposition, and fork() not at all. A forked child makes a source of its own and abandons its
/// parent's, which a thread that stayed behind may have been changing.
/// Thread-safe.
class Sampler final : public Refresher {
 public:
  static constexpr int64_t kMinAge = 2 * kNanosPerSecond;
  using MakeSource = std::function<std::unique_ptr<Source>()>;

  /// The source is made at the first reading. The clock must outlive this.
  Sampler(MakeSource make_source, const Clock& clock);
  ~Sampler() override;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  void refresh(RegistryCore& registry) override;

 private:
  class Turn;

  [[nodiscard]] bool is_due(int64_t now_ns) const noexcept;
  void sample(RegistryCore& registry);
  void show(RegistryCore& registry, const std::vector<Reading>& readings) EXCLUDES(shown_mutex());
  void abandon_parents_source() noexcept;
  // One for all samplers, held for moments only; fork() waits for it.
  static Mutex& shown_mutex();

  // Constant after construction.
  const MakeSource make_source_;
  const Clock& clock_;

  // 0 or, while a thread has its turn, 1 + the generation of that thread's process.
  std::atomic<uint64_t> turn_{0};
  // When the next reading is due; of the process whose generation stands beside it.
  std::atomic<int64_t> due_ns_{std::numeric_limits<int64_t>::min()};
  std::atomic<uint32_t> due_generation_{0};

  // Touched by the thread that has its turn only.
  std::unique_ptr<Source> source_;
  uint32_t source_generation_ = 0;

  std::vector<std::shared_ptr<Series>> shown_ GUARDED_BY(shown_mutex());
};

}  // namespace inferometer
