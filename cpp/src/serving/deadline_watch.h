// Ends requests at the time their deadline passes, also while the model is busy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "inferometer/request.h"

namespace inferometer {

/// One thread that sleeps until the earliest deadline it knows of. It is started by the first
/// deadline, and sleeps for good while there is none: an engine without deadlines has no such
/// thread, an idle one no wake-ups. Thread-safe.
class DeadlineWatch {
 public:
  /// Ends what is due and returns the earliest deadline that is left, kNever if none. Called on the
  /// watch's thread, without its lock.
  using Expire = std::function<int64_t()>;

  explicit DeadlineWatch(Expire expire) : expire_(std::move(expire)) {}
  ~DeadlineWatch() { stop(); }
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  /// Starts the thread if it does not run yet; it holds `owner`, in which this object lives, until
  /// it has ended. Throws std::system_error. After stop() it does nothing.
  void ensure_started(std::shared_ptr<const void> owner);
  /// Makes sure that `expire` is called once `deadline_ns` (on steady_clock()) has passed. The
  /// request it belongs to must be where `expire` finds it.
  void watch(int64_t deadline_ns) noexcept;
  /// Ends the thread and waits for it, unless this is that thread (`expire` let go of a request
  /// that held the engine): then it ends on its return. Idempotent.
  void stop();

 private:
  void loop();

  const Expire expire_;
  Mutex mutex_;
  CondVar changed_;
  int64_t next_ns_ GUARDED_BY(mutex_) = kNever;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace inferometer
