#include "monitor/sampler.h"

#include <pthread.h>

#include <bit>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/process_generation.h"
#include "telemetry/record/registry_core.h"

namespace inferometer {
namespace {

Mutex* held_across_fork = nullptr;

void before_fork() NO_THREAD_SAFETY_ANALYSIS { held_across_fork->lock(); }
void after_fork() NO_THREAD_SAFETY_ANALYSIS { held_across_fork->unlock(); }

uint64_t word_of(const Reading& reading) noexcept {
  const Unit unit = metric_info(reading.metric).unit;
  if (unit == Unit::kFloat || unit == Unit::kPlainFloat) {
    return std::bit_cast<uint64_t>(reading.value);
  }
  return static_cast<uint64_t>(std::llround(reading.value));
}

}  // namespace

/// The right to read the source, for a scope. A turn that a forked child inherits has no thread any
/// more and does not count.
class Sampler::Turn {
 public:
  explicit Turn(std::atomic<uint64_t>& turn) noexcept : turn_(turn) {
    const uint64_t mine = uint64_t{1} + process_generation();
    // Acquire pairs with the release below: what the last one left in the source is seen.
    uint64_t seen = turn_.load(std::memory_order_relaxed);
    taken_ = seen != mine && turn_.compare_exchange_strong(seen, mine, std::memory_order_acquire,
                                                           std::memory_order_relaxed);
  }
  ~Turn() {
    if (taken_) turn_.store(0, std::memory_order_release);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  std::atomic<uint64_t>& turn_;
  bool taken_ = false;
};

Sampler::Sampler(MakeSource make_source, const Clock& clock)
    : make_source_(std::move(make_source)), clock_(clock) {}

Sampler::~Sampler() { abandon_parents_source(); }

Mutex& Sampler::shown_mutex() {
  // First called with a registry at hand, so after the registries' own preparation for fork() was
  // registered: preparations run last one first, and this lock is taken before theirs.
  static Mutex* const mutex = [] {
    held_across_fork = new Mutex;
    pthread_atfork(before_fork, after_fork, after_fork);
    return held_across_fork;
  }();
  return *mutex;
}

// Relaxed, here and where they are stored: who reads an old value finds out in its turn.
bool Sampler::is_due(int64_t now_ns) const noexcept {
  return due_generation_.load(std::memory_order_relaxed) != process_generation() ||
         now_ns >= due_ns_.load(std::memory_order_relaxed);
}

void Sampler::refresh(RegistryCore& registry) {
  const int64_t now_ns = clock_.now_ns();
  if (!is_due(now_ns)) return;
  const Turn turn(turn_);
  if (!turn.taken() || !is_due(now_ns)) return;
  // First, so that a source that throws is not read more often.
  due_ns_.store(now_ns + kMinAge, std::memory_order_relaxed);
  due_generation_.store(process_generation(), std::memory_order_relaxed);
  try {
    sample(registry);
  } catch (...) {
    show(registry, {});  // rather nothing than something old
    throw;
  }
}

void Sampler::sample(RegistryCore& registry) {
  abandon_parents_source();
  if (source_ == nullptr) {
    source_generation_ = process_generation();
    source_ = make_source_();
  }
  std::vector<Reading> readings;
  source_->read(readings);
  show(registry, readings);
}

void Sampler::show(RegistryCore& registry, const std::vector<Reading>& readings) {
  MutexLock lock(shown_mutex());
  std::vector<std::shared_ptr<Series>> series;
  series.reserve(readings.size());
  for (const Reading& reading : readings) {
    const std::vector<std::string_view> labels(reading.labels.begin(), reading.labels.end());
    series.push_back(registry.family(reading.metric).get(labels));
    // Relaxed: each word is a value of its own.
    series.back()->base()->store(word_of(reading), std::memory_order_relaxed);
  }
  shown_.swap(series);  // now the old handles go; what is still shown has new ones
}

void Sampler::abandon_parents_source() noexcept {
  if (source_generation_ == process_generation()) return;
  // Leaked: it may be half-way through a change.
  [[maybe_unused]] const Source* const abandoned = source_.release();
  source_generation_ = process_generation();
}

}  // namespace inferometer
