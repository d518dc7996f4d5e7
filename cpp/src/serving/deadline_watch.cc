#include "serving/deadline_watch.h"

#include <algorithm>
#include <utility>

#include "inferometer/clock.h"

namespace inferometer {

void DeadlineWatch::ensure_started(std::shared_ptr<const void> owner) {
  MutexLock lock(mutex_);
  if (stopping_ || thread_.joinable()) return;
  thread_ = std::thread([this, owner = std::move(owner)] { loop(); });
}

void DeadlineWatch::watch(int64_t deadline_ns) noexcept {
  MutexLock lock(mutex_);
  if (deadline_ns >= next_ns_) return;
  next_ns_ = deadline_ns;
  changed_.notify_one();
}

void DeadlineWatch::stop() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    thread = std::exchange(thread_, {});
    changed_.notify_one();
  }
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
  } else if (thread.joinable()) {
    thread.join();
  }
}

void DeadlineWatch::loop() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (next_ns_ == kNever) {
      changed_.wait(mutex_);
    } else if (steady_clock().now_ns() < next_ns_) {
      changed_.wait_until(mutex_, next_ns_);
    } else {
      // Deadlines that arrive while `expire` looks lower next_ns_ again.
      next_ns_ = kNever;
      lock.unlock();
      const int64_t left = expire_();
      lock.lock();
      next_ns_ = std::min(next_ns_, left);
    }
  }
}

}  // namespace inferometer
