// EngineCore, the workers: threads of the engine that look after it when no caller does.
#include <utility>

#include "serving/engine_core.h"
#include "serving/engine_frame.h"
#include "serving/race_points.h"

namespace inferometer {

void EngineCore::work() {
  const Frame frame(*this);
  MutexLock lock(mutex_);
  while (phase_.load(std::memory_order_relaxed) != Phase::kClosed) {
    {
      Work work = take_work_locked(Runner::kWorker);
      if (!work.any()) {
        race_point(RacePoint::kWorkerSleeps);
        sleep_locked(work.look_again_ns);
        continue;
      }
      lock.unlock();
      CompletionBatch completions;
      perform(work, completions, Runner::kWorker);
      // Let go of here, without the lock: what requests hold may be Python's, whose lock must not
      // be waited for under ours.
    }
    lock.lock();
  }
  ++workers_left_;
  settled_.notify_all();
}

void EngineCore::sleep_locked(int64_t until_ns) {
  const auto closed = [this] { return phase_.load(std::memory_order_relaxed) == Phase::kClosed; };
  if (until_ns != kNever && !timer_held_) {
    timer_held_ = true;
    timer_called_ = false;
    timer_ns_ = until_ns;
    while (!timer_called_ && !closed() && clock_.now_ns() < timer_ns_) {
      timer_changed_.wait_until(mutex_, timer_ns_);
    }
    timer_held_ = false;
    return;
  }
  if (until_ns < timer_ns_ && timer_held_) {
    timer_ns_ = until_ns;
    timer_changed_.notify_one();
  }
  ++sleepers_;
  while (calls_ == 0 && !closed()) work_arrived_.wait(mutex_);
  --sleepers_;
  if (calls_ > 0) --calls_;
}

void EngineCore::call_worker_locked(int64_t at_ns, int64_t now_ns) {
  if (at_ns == kNever) return;
  if (at_ns > now_ns && timer_held_) {
    if (at_ns >= timer_ns_) return;
    timer_ns_ = at_ns;
    timer_changed_.notify_one();
    return;
  }
  const size_t coming = calls_ + (timer_held_ && timer_called_ ? 1 : 0);
  if (coming >= free_) return;  // as many as there are instances for
  if (sleepers_ > calls_) {
    ++calls_;
    work_arrived_.notify_one();
  } else if (timer_held_ && !timer_called_) {
    timer_called_ = true;
    timer_changed_.notify_one();
  }
  // Else every worker is awake and looks before it sleeps.
}

}  // namespace inferometer
