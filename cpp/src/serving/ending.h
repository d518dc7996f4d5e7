// The protocol by which every request ends exactly once.
//
// A request's state goes queued -> running -> ending -> ended, or from any of the first two
// straight to ending. Several threads may want to end it (its worker, its caller cancelling, the
// deadline watch, close()): the one whose claim() succeeds owns the ending, fills in outcome,
// timing, error and output, has it recorded, and publishes. Nobody reads those fields before state
// says `ended`.
//
// `queued -> running` happens under the engine's mutex, as does taking a request out of the queue,
// so a request that was cancelled or expired while queued never reaches the model.
#pragma once

#include "inferometer/request.h"

namespace inferometer {

/// Stateless; safe from any thread.
class Ending {
 public:
  static constexpr uint32_t kQueued = 0;
  static constexpr uint32_t kRunning = 1;
  static constexpr uint32_t kEnding = 2;
  static constexpr uint32_t kEnded = 3;
  static constexpr uint32_t kStateMask = 3;
  static constexpr uint32_t kHasWaiter = 4;  // somebody sleeps on the word: wake at publish()
  static constexpr uint32_t kLead = 8;       // whoever waits is asked to lead a batch

  /// True for exactly one caller, who must then publish().
  static bool claim(Request& request) noexcept;
  /// Marks a queued request as running. False if somebody has claimed it.
  static bool start(Request& request) noexcept;
  /// Makes the ending visible and wakes who waits on the request itself.
  static void publish(Request& request) noexcept;

  /// Asks the caller that waits on the request to lead. It may have ended meanwhile: its caller
  /// then leads all the same, so that what was asked of it is not lost. Under the engine's mutex,
  /// so that whoever cancels the request knows; without it wake_leader() follows.
  static void ask_to_lead(Request& request) noexcept;
  static void wake_leader(Request& request) noexcept;
  /// True if its caller was asked and has not yet heard of it.
  [[nodiscard]] static bool asked_to_lead(const Request& request) noexcept;

  // The rows of a request are copied into its segment after it was queued, outside the engine's
  // mutex. filled() says that they are there; a worker that comes earlier waits for that.
  static void mark_filled(Request& request) noexcept;
  static void wait_filled(Request& request) noexcept;
};

}  // namespace inferometer
