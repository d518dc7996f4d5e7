#include "serving/ending.h"

#include "base/futex.h"

namespace inferometer {
namespace {

// Values of Request::filled_; at first it is 0.
constexpr uint32_t kFilled = 1;
constexpr uint32_t kNotFilledAwaited = 2;

// Moves the state bits to `to` if `allowed` says so of the present ones; keeps the waiter bit.
template <typename Allowed>
bool move_state(std::atomic<uint32_t>& word, uint32_t to, Allowed allowed) noexcept {
  uint32_t seen = word.load(std::memory_order_relaxed);
  while (allowed(seen & Ending::kStateMask)) {
    const uint32_t next = (seen & ~Ending::kStateMask) | to;
    // acq_rel: the winner sees what earlier states published, losers later see the winner's.
    if (word.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                   std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool Ending::claim(Request& request) noexcept {
  return move_state(request.state_, kEnding, [](uint32_t state) { return state <= kRunning; });
}

bool Ending::start(Request& request) noexcept {
  return move_state(request.state_, kRunning, [](uint32_t state) { return state == kQueued; });
}

void Ending::publish(Request& request) noexcept {
  // Release: pairs with the acquire loads in Request::ended() and wait().
  uint32_t before = request.state_.load(std::memory_order_relaxed);
  while (!request.state_.compare_exchange_weak(
      before, kEnded | (before & kLead), std::memory_order_acq_rel, std::memory_order_relaxed)) {
  }
  if ((before & kHasWaiter) != 0) futex_wake_all(request.state_);
}

void Ending::ask_to_lead(Request& request) noexcept {
  request.state_.fetch_or(kLead, std::memory_order_acq_rel);
}

void Ending::wake_leader(Request& request) noexcept {
  const uint32_t seen = request.state_.load(std::memory_order_acquire);
  if ((seen & kHasWaiter) != 0) futex_wake_all(request.state_);
}

bool Ending::asked_to_lead(const Request& request) noexcept {
  return (request.state_.load(std::memory_order_acquire) & kLead) != 0;
}

void Ending::mark_filled(Request& request) noexcept {
  // Release: pairs with wait_filled(), so that the worker sees the rows.
  if (request.filled_.exchange(kFilled, std::memory_order_acq_rel) == kNotFilledAwaited) {
    futex_wake_all(request.filled_);
  }
}

void Ending::wait_filled(Request& request) noexcept {
  uint32_t seen = request.filled_.load(std::memory_order_acquire);
  while (seen != kFilled) {
    if (seen == kNotFilledAwaited ||
        request.filled_.compare_exchange_strong(seen, kNotFilledAwaited, std::memory_order_acq_rel,
                                                std::memory_order_acquire)) {
      futex_wait(request.filled_, kNotFilledAwaited, kNever);
      seen = request.filled_.load(std::memory_order_acquire);
    }
  }
}

}  // namespace inferometer
