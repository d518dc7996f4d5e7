// Between scrapes and the thread that collects for them.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "telemetry/record/foreign.h"

namespace inferometer {

/// Scrapes ask and wait for the answer; one thread collects, only when it is asked. A collection
/// answers all that was asked before it began, so scrapes that come together share one, and none
/// gets values that are older than its own asking. There is one collection at a time: while it
/// hangs no other one begins, and once a scrape has given up on it, later ones do not wait for it.
/// Thread-safe; wait_for_ask() and publish() are for the one collecting thread.
class CollectorMailbox {
 public:
  using Ask = uint64_t;
  struct Answer {
    std::shared_ptr<const Collected> newest;  ///< Null if nothing was ever published.
    bool in_time = false;                     ///< Whether it is the answer to this asking.
  };

  /// Wakes the collecting thread. Never blocks.
  [[nodiscard]] Ask ask();
  /// Waits for the answer, at most until `deadline_ns` on steady_clock(). Does not wait for a
  /// collection that was given up on, nor, as it would wait for itself, when the calling thread is
  /// collecting on behalf of this very mailbox (a collector that renders its own registry).
  [[nodiscard]] Answer wait(Ask ask, int64_t deadline_ns);

  /// Sleeps until there is something to collect for. False once closed.
  [[nodiscard]] bool wait_for_ask();
  /// Ends the collection that wait_for_ask() began.
  void publish(std::shared_ptr<const Collected> collected);

  /// Nobody waits any more, on either side. Returns whether no collection was going on.
  bool close();

 private:
  using Chain = std::vector<const CollectorMailbox*>;
  static constexpr Ask kOfItself = std::numeric_limits<Ask>::max();

  // The mailboxes on whose behalf the calling thread collects: its own, that of the thread that
  // asked it, and so on.
  static Chain& chain() noexcept;

  Mutex mutex_;
  CondVar asked_changed_;
  CondVar answered_changed_;
  // The newest ask; the newest one that the last collection to begin, and to end, answers.
  Ask asked_ GUARDED_BY(mutex_) = 0;
  Ask begun_ GUARDED_BY(mutex_) = 0;
  Ask answered_ GUARDED_BY(mutex_) = 0;
  Chain asker_ GUARDED_BY(mutex_);  // the chain of the first ask that no collection began for yet
  bool given_up_ GUARDED_BY(mutex_) = false;  // on the collection that is going on
  bool closed_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Collected> newest_ GUARDED_BY(mutex_);
};

}  // namespace inferometer
