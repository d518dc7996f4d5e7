// EngineCore, its end: draining and closing.
#include <algorithm>
#include <utility>

#include "serving/ending.h"
#include "serving/engine_core.h"

namespace inferometer {
namespace {

// A worker that has just answered is given this long to look up and leave, whatever the grace.
constexpr int64_t kMinGraceNs = 100'000'000;

int64_t from_now(int64_t ns) {
  const int64_t now = steady_clock().now_ns();
  return ns > kNever - now ? kNever : now + ns;
}

}  // namespace

bool EngineCore::drain(int64_t timeout_ns) {
  refuse_in_child();
  const int64_t deadline = from_now(timeout_ns);
  Phase open = Phase::kOpen;
  phase_.compare_exchange_strong(open, Phase::kDraining);
  const std::shared_ptr<Request> leader = [this] {
    MutexLock lock(mutex_);
    return hand_over_locked();  // what waited for company goes now
  }();
  if (leader) Ending::wake_leader(*leader);
  MutexLock lock(mutex_);
  while (!settled_locked()) {
    // The model itself would wait for its own end.
    if (on_worker_thread() || steady_clock().now_ns() >= deadline) return false;
    settled_.wait_until(mutex_, deadline);
  }
  return true;
}

bool EngineCore::close(int64_t grace_ns) {
  if (forked()) return true;
  std::vector<std::shared_ptr<Request>> left;
  std::vector<int64_t> lone_arrivals;
  std::vector<std::shared_ptr<LoadedModel>> models;
  {
    MutexLock lock(mutex_);
    models = retired_;
    models.push_back(model_);
    phase_.store(Phase::kClosed);
    left = scheduler_.take_all();
    for (Instance& instance : instances_) {
      if (instance.running != nullptr) {
        const auto& taken = instance.running->taken();
        left.insert(left.end(), taken.begin(), taken.end());
      }
      const int64_t arrival = instance.lone_arrival.exchange(kNever);
      if (arrival != kNever) lone_arrivals.push_back(arrival);
    }
    ++ending_;
    publish_queue_state_locked();
    work_arrived_.notify_all();
    timer_changed_.notify_all();
    settled_.notify_all();
  }
  // Calls that run on their callers' threads hear of it when the model is done.
  for (const int64_t arrival : lone_arrivals) {
    const int64_t ran_ns = clock_.between_ns(arrival, clock_.ticks());
    const Timing timing{0, ran_ns, ran_ns, 1, ReleaseReason::kIdle};
    if (recorder_) recorder_->record_ended_early(Outcome::kShutdown, timing);
  }
  end_early(left, Outcome::kShutdown);
  left.clear();
  for (const auto& model : models) model->interrupt();
  models.clear();

  std::vector<std::thread> workers;
  bool returned = false;
  bool joined = false;
  const int64_t deadline = from_now(std::max(grace_ns, kMinGraceNs));
  {
    MutexLock lock(mutex_);
    // Not the threads' ids: an earlier close() may have let go of them. Requests that others are
    // just ending are waited for too, so that the recorder is closed behind their records.
    const auto nothing_runs = [this]() REQUIRES(mutex_) { return nothing_runs_locked(); };
    const auto all_left = [&]() REQUIRES(mutex_) {
      return on_worker_thread() || (workers_left_ == instances_.size() && nothing_runs());
    };
    returned = all_left();
    while (!(returned && ending_ == 0) && !workers_abandoned_ &&
           (nothing_runs() || steady_clock().now_ns() < deadline)) {
      // Workers without a batch leave at once: only a running model is given a limit.
      if (nothing_runs()) {
        settled_.wait(mutex_);
      } else {
        settled_.wait_until(mutex_, deadline);
      }
      returned = all_left();
    }
    workers = std::exchange(workers_, {});
    joined = workers_left_ == instances_.size();
    if (!joined && !workers.empty()) {
      // A later close() need not wait again, but for a model that closes its own engine.
      workers_abandoned_ = !on_worker_thread();
    }
  }
  for (std::thread& worker : workers) {
    if (joined && worker.get_id() != std::this_thread::get_id()) {
      worker.join();
    } else {
      worker.detach();
    }
  }
  deadline_watch_.stop();
  if (recorder_) recorder_->close();
  return returned;
}

}  // namespace inferometer
