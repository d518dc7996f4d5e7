#include "inferometer/faults.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "inferometer/errors.h"
#include "inferometer/request.h"

namespace inferometer {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kKindNames = {"delay", "error", "stall",
                                                                  "partial"};

constexpr double kNotFailed = -1;

int64_t sum_or_never(int64_t from, int64_t ns) { return ns > kNever - from ? kNever : from + ns; }

void check(const Fault& fault) {
  const auto refuse = [](const char* name, double got, const char* want) {
    throw ConfigError(std::string(name) + ": got " + std::to_string(got) + ", want " + want);
  };
  const auto check_seconds = [&](const char* name, double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) refuse(name, seconds, "seconds, 0 or more");
  };
  check_seconds("seconds", fault.seconds);
  if (!(fault.ratio >= 0 && fault.ratio <= 1)) refuse("ratio", fault.ratio, "0 to 1");
  check_seconds("start_after", fault.start_after_seconds);
  if (!fault.duration_seconds) return;
  if (!std::isfinite(*fault.duration_seconds) || *fault.duration_seconds <= 0) {
    refuse("duration", *fault.duration_seconds, "more than 0 seconds, or none");
  }
}

}  // namespace

std::string_view fault_kind_name(FaultKind kind) noexcept {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<FaultKind>(found - kKindNames.begin());
}

/// What is behind Faults. Thread-safe.
class Faults::Schedule {
 public:
  Schedule(uint64_t seed, const Clock& clock) : seed_(seed), clock_(clock) {}

  void add(const Fault& fault) {
    const MutexLock lock(mutex_);
    const int64_t now = clock_.now_ns();
    forget_ended_locked(now);
    const int64_t start = sum_or_never(now, seconds_to_ns(fault.start_after_seconds));
    const int64_t end = fault.duration_seconds
                            ? sum_or_never(start, seconds_to_ns(*fault.duration_seconds))
                            : kNever;
    entries_.push_back({fault, start, end, Draws(seed_, added_++)});
    publish_locked();
    changed_.notify_all();
  }

  void clear(std::optional<FaultKind> kind) {
    const MutexLock lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return !kind || entry.fault.kind == *kind; });
    if (!kind || *kind == FaultKind::kDelay) ++delay_clears_;
    publish_locked();
    changed_.notify_all();
  }

  [[nodiscard]] std::vector<Active> active() const {
    const MutexLock lock(mutex_);
    const int64_t now = clock_.now_ns();
    std::vector<Active> active;
    for (const Entry& entry : entries_) {
      if (!entry.covers(now)) continue;
      active.push_back({entry.fault, {}});
      if (entry.end_ns != kNever) active.back().ends_in_seconds = ns_to_seconds(entry.end_ns - now);
    }
    return active;
  }

  [[nodiscard]] std::array<uint64_t, kFaultKinds> injected() const {
    const MutexLock lock(mutex_);
    return injected_;
  }

  [[nodiscard]] bool quiet() const noexcept {
    const int64_t first = first_start_ns_.load(std::memory_order_relaxed);
    return first == kNever || first > clock_.now_ns();
  }

  [[nodiscard]] bool may_hold() const noexcept { return may_hold_.load(std::memory_order_relaxed); }

  BatchFaults begin_batch(size_t requests) {
    BatchFaults batch;
    batch.begin_ns = steady_clock().now_ns();
    const MutexLock lock(mutex_);
    batch.delay_clears = delay_clears_;
    const int64_t now = clock_.now_ns();
    forget_ended_locked(now);
    std::vector<double> failed(requests, kNotFailed);  // by which ratio
    for (Entry& entry : entries_) {
      if (entry.covers(now)) meet(entry, batch, failed);
    }
    for (size_t i = 0; i < requests; ++i) {
      if (failed[i] != kNotFailed && !batch.error_ratio) batch.failed.push_back({i, failed[i]});
    }
    count_locked(FaultKind::kDelay, batch.delay_ns > 0 ? 1 : 0);
    count_locked(FaultKind::kError, batch.error_ratio ? 1 : 0);
    count_locked(FaultKind::kStall, batch.stalled ? 1 : 0);
    count_locked(FaultKind::kPartial, batch.failed.size());
    return batch;
  }

  bool hold(const BatchFaults& batch, const std::atomic<bool>& stop) {
    const MutexLock lock(mutex_);
    while (!stop) {
      const int64_t now = steady_clock().now_ns();
      // Delays that were cleared hold nobody any more; which of several it was does not matter.
      const int64_t delayed_until = batch.delay_clears == delay_clears_
                                        ? sum_or_never(batch.begin_ns, batch.delay_ns)
                                        : batch.begin_ns;
      const int64_t stalled_for = stalled_for_locked();
      if (stalled_for == 0 && now >= delayed_until) return true;
      const int64_t wake = std::max(delayed_until, sum_or_never(now, stalled_for));
      if (wake == kNever) {
        changed_.wait(mutex_);
      } else {
        changed_.wait_until(mutex_, wake);
      }
    }
    return false;
  }

  [[nodiscard]] int64_t held_until_ns(const BatchFaults& batch, int64_t begin_ns) const {
    const MutexLock lock(mutex_);
    const int64_t delayed_until =
        batch.delay_clears == delay_clears_ ? sum_or_never(begin_ns, batch.delay_ns) : begin_ns;
    const int64_t stalled_for = stalled_for_locked();
    if (stalled_for == 0) return delayed_until;
    return std::max(delayed_until, sum_or_never(clock_.now_ns(), stalled_for));
  }

  void wake() noexcept {
    // Under the lock: nobody is between looking at its `stop` and going to sleep.
    const MutexLock lock(mutex_);
    changed_.notify_all();
  }

 private:
  // splitmix64: any seed does, and it is the same everywhere, unlike std's distributions.
  class Draws {
   public:
    Draws(uint64_t seed, uint64_t fault) : state_(seed) {
      state_ = next() ^ fault;
      state_ = next();  // neighbouring faults are far apart
    }
    /// True with this probability.
    bool hit(double ratio) { return static_cast<double>(next() >> 11) * 0x1p-53 < ratio; }

   private:
    uint64_t next() {
      uint64_t z = state_ += 0x9e3779b97f4a7c15;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      return z ^ (z >> 31);
    }
    uint64_t state_;
  };

  struct Entry {
    Fault fault;
    int64_t start_ns = 0;
    int64_t end_ns = kNever;
    Draws draws;

    [[nodiscard]] bool covers(int64_t now) const noexcept {
      return start_ns <= now && now < end_ns;
    }
  };

  // Every draw is made, also where another fault has failed the batch or the request already:
  // faults do not change each other's sequences.
  static void meet(Entry& entry, BatchFaults& batch, std::vector<double>& failed) {
    switch (entry.fault.kind) {
      case FaultKind::kDelay:
        batch.delay_ns = sum_or_never(batch.delay_ns, seconds_to_ns(entry.fault.seconds));
        break;
      case FaultKind::kError:
        if (entry.draws.hit(entry.fault.ratio)) batch.error_ratio = entry.fault.ratio;
        break;
      case FaultKind::kStall:
        batch.stalled = true;
        break;
      case FaultKind::kPartial:
        for (double& request : failed) {
          if (entry.draws.hit(entry.fault.ratio)) request = entry.fault.ratio;
        }
        break;
    }
  }

  // Until the last of the stalls that are in effect is over; 0: there is none.
  [[nodiscard]] int64_t stalled_for_locked() const REQUIRES(mutex_) {
    const int64_t now = clock_.now_ns();
    int64_t left = 0;
    for (const Entry& entry : entries_) {
      if (entry.fault.kind != FaultKind::kStall || !entry.covers(now)) continue;
      left = std::max(left, entry.end_ns == kNever ? kNever : entry.end_ns - now);
    }
    return left;
  }

  void forget_ended_locked(int64_t now) REQUIRES(mutex_) {
    if (std::erase_if(entries_, [&](const Entry& entry) { return entry.end_ns <= now; }) > 0) {
      publish_locked();
    }
  }

  void publish_locked() REQUIRES(mutex_) {
    int64_t first = kNever;
    bool holds = false;
    for (const Entry& entry : entries_) {
      first = std::min(first, entry.start_ns);
      holds |= entry.fault.kind == FaultKind::kStall || entry.fault.kind == FaultKind::kDelay;
    }
    first_start_ns_.store(first, std::memory_order_relaxed);
    may_hold_.store(holds, std::memory_order_relaxed);
  }

  void count_locked(FaultKind kind, uint64_t by) REQUIRES(mutex_) {
    injected_[static_cast<size_t>(kind)] += by;
  }

  const uint64_t seed_;
  const Clock& clock_;

  // What quiet() and may_hold() read, written under mutex_. Relaxed: who sees an old value sees the
  // faults a moment later, and what they are is read under mutex_.
  std::atomic<int64_t> first_start_ns_{kNever};
  std::atomic<bool> may_hold_{false};

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  uint64_t added_ GUARDED_BY(mutex_) = 0;
  uint64_t delay_clears_ GUARDED_BY(mutex_) = 0;
  std::array<uint64_t, kFaultKinds> injected_ GUARDED_BY(mutex_){};
};

Faults::Faults(std::optional<uint64_t> seed, const Clock* clock)
    : schedule_(std::make_unique<Schedule>(
          seed ? *seed : (uint64_t{std::random_device()()} << 32) | std::random_device()(),
          clock != nullptr ? *clock : steady_clock())) {}

Faults::~Faults() = default;

void Faults::add(const Fault& fault) {
  check(fault);
  schedule_->add(fault);
}
void Faults::clear(std::optional<FaultKind> kind) { schedule_->clear(kind); }
std::vector<Faults::Active> Faults::active() const { return schedule_->active(); }
std::array<uint64_t, kFaultKinds> Faults::injected() const { return schedule_->injected(); }
bool Faults::quiet() const noexcept { return schedule_->quiet(); }
bool Faults::may_hold() const noexcept { return schedule_->may_hold(); }
BatchFaults Faults::begin_batch(size_t requests) { return schedule_->begin_batch(requests); }
bool Faults::hold(const BatchFaults& batch, const std::atomic<bool>& stop) {
  return schedule_->hold(batch, stop);
}
int64_t Faults::held_until_ns(const BatchFaults& batch, int64_t begin_ns) const {
  return schedule_->held_until_ns(batch, begin_ns);
}
void Faults::wake() noexcept { schedule_->wake(); }

}  // namespace inferometer
