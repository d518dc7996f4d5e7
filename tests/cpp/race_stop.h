// Stopping the engine's threads at chosen places.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/mutex.h"
#include "serving/race_points.h"

namespace inferometer {

/// While one lives, threads that pass race points are counted, and the first that comes to where it
/// was armed stands there until go(). One at a time; make it before the engine. Thread-safe.
class RaceStop {
 public:
  RaceStop() {
    current() = this;
    race_hook.store([](RacePoint point) { current()->pass(point); }, std::memory_order_release);
  }
  /// Lets go of who stands there. The engine must have come to rest, or to be closed, by then.
  ~RaceStop() {
    go();
    race_hook.store(nullptr, std::memory_order_release);
  }
  RaceStop(const RaceStop&) = delete;
  RaceStop& operator=(const RaceStop&) = delete;

  /// Sleeps until a thread stands at the place.
  void await() {
    MutexLock lock(mutex_);
    while (!stands_) changed_.wait(mutex_);
  }
  /// Sleeps until `point` has been passed `count` times in all.
  void await_passed(RacePoint point, size_t count) {
    MutexLock lock(mutex_);
    while (passed_[static_cast<size_t>(point)] < count) changed_.wait(mutex_);
  }
  [[nodiscard]] size_t passed(RacePoint point) const {
    MutexLock lock(mutex_);
    return passed_[static_cast<size_t>(point)];
  }
  /// Stops the next thread that comes to `point`.
  void arm(RacePoint point) {
    MutexLock lock(mutex_);
    stop_at_ = point;
  }
  /// Lets whoever stands there go on, and nobody stop any more.
  void go() {
    MutexLock lock(mutex_);
    stop_at_.reset();
    stands_ = false;
    changed_.notify_all();
    while (standing_ > 0) changed_.wait(mutex_);
  }

 private:
  static RaceStop*& current() {
    static RaceStop* current = nullptr;
    return current;
  }

  void pass(RacePoint point) {
    MutexLock lock(mutex_);
    ++passed_[static_cast<size_t>(point)];
    changed_.notify_all();
    if (stop_at_ != point) return;
    stop_at_.reset();  // those that come later pass
    stands_ = true;
    ++standing_;
    while (stands_) changed_.wait(mutex_);
    --standing_;
    changed_.notify_all();
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<RacePoint> stop_at_ GUARDED_BY(mutex_);
  bool stands_ GUARDED_BY(mutex_) = false;
  int standing_ GUARDED_BY(mutex_) = 0;
  std::array<size_t, 4> passed_ GUARDED_BY(mutex_){};
};

}  // namespace inferometer
