#include "telemetry/record/history_thread.h"

#include <utility>

#include "inferometer/clock.h"

namespace inferometer {

int64_t next_tick(int64_t start_ns, int64_t interval_ns, int64_t now_ns) noexcept {
  return start_ns + ((now_ns - start_ns) / interval_ns + 1) * interval_ns;
}

HistoryThread::HistoryThread(int64_t interval_ns, std::function<void()> tick)
    : interval_ns_(interval_ns), tick_(std::move(tick)), thread_([this] { loop(); }) {}

HistoryThread::~HistoryThread() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void HistoryThread::loop() {
  const int64_t start = steady_clock().now_ns();
  int64_t due = start + interval_ns_;
  MutexLock lock(mutex_);
  while (!stopping_) {
    const int64_t now = steady_clock().now_ns();
    if (now < due) {
      changed_.wait_until(mutex_, due);
      continue;
    }
    due = next_tick(start, interval_ns_, now);
    lock.unlock();
    tick_();
    lock.lock();
  }
}

}  // namespace inferometer
