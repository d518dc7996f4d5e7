#include "inferometer/request.h"

#include <algorithm>
#include <array>

#include "base/futex.h"
#include "inferometer/clock.h"
#include "serving/ending.h"
#include "serving/segment.h"

namespace inferometer {

namespace {

// Waking a sleeping thread costs about this much; an answer that comes sooner is worth spinning
// for.
constexpr int64_t kSpinNs = 40'000;

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  static constexpr std::array<std::string_view, kOutcomes> kNames{
      "success", "failure", "rejected", "timeout", "cancelled", "shutdown", "invalid"};
  return kNames[static_cast<size_t>(outcome)];
}

std::string_view release_reason_name(ReleaseReason reason) noexcept {
  static constexpr std::array<std::string_view, kReleaseReasons> kNames{
      "full", "preferred", "delay", "idle", "shape", "drain"};
  return kNames[static_cast<size_t>(reason)];
}

bool Request::ended() const noexcept {
  return (state_.load(std::memory_order_acquire) & Ending::kStateMask) == Ending::kEnded;
}

bool Request::running() const noexcept {
  const uint32_t state = state_.load(std::memory_order_relaxed) & Ending::kStateMask;
  return state == Ending::kRunning;
}

Request::WaitStatus Request::wait(int64_t deadline_ns) noexcept {
  constexpr uint32_t kAwaited = Ending::kStateMask | Ending::kLead;
  const auto quiet = [this] {
    const uint32_t state = state_.load(std::memory_order_relaxed) & kAwaited;
    return state < Ending::kEnded;
  };
  if (soon_) {
    const int64_t until = std::min(arrival_ns_ + kSpinNs, deadline_ns);
    while (quiet() && steady_clock().now_ns() < until) pause();
  }
  uint32_t seen = state_.load(std::memory_order_acquire);
  for (;;) {
    // Before the end: what was asked of this caller must not be lost with its own request.
    if ((seen & Ending::kLead) != 0) {
      state_.fetch_and(~Ending::kLead, std::memory_order_acq_rel);
      return WaitStatus::kLead;
    }
    if ((seen & Ending::kStateMask) == Ending::kEnded) return WaitStatus::kEnded;
    if ((seen & Ending::kHasWaiter) == 0 &&
        !state_.compare_exchange_weak(seen, seen | Ending::kHasWaiter, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      continue;
    }
    const FutexStatus status = futex_wait(state_, seen | Ending::kHasWaiter, deadline_ns);
    seen = state_.load(std::memory_order_acquire);
    if ((seen & kAwaited) >= Ending::kEnded) continue;
    if (status == FutexStatus::kDeadline) return WaitStatus::kDeadline;
    if (status == FutexStatus::kSignal) return WaitStatus::kSignal;
  }
}

size_t Request::output_count() const noexcept { return output_ ? output_->outputs.size() : 0; }

TensorView Request::output(size_t index) const noexcept {
  return output_->rows_of(index, output_row_, rows_);
}

std::vector<TensorView> Request::outputs() const {
  return output_ ? output_->rows(output_row_, rows_) : std::vector<TensorView>{};
}

}  // namespace inferometer
