#include "telemetry/record/collector_mailbox.h"

#include <algorithm>
#include <utility>

#include "inferometer/clock.h"

namespace inferometer {

CollectorMailbox::Chain& CollectorMailbox::chain() noexcept {
  thread_local Chain chain;
  return chain;
}

CollectorMailbox::Ask CollectorMailbox::ask() {
  const Chain& asker = chain();
  if (std::ranges::find(asker, this) != asker.end()) return kOfItself;
  MutexLock lock(mutex_);
  if (asked_ == begun_) asker_ = asker;
  ++asked_;
  asked_changed_.notify_one();
  return asked_;
}

CollectorMailbox::Answer CollectorMailbox::wait(Ask ask, int64_t deadline_ns) {
  MutexLock lock(mutex_);
  const bool waits = ask != kOfItself && !given_up_;
  while (waits && answered_ < ask && !closed_ && steady_clock().now_ns() < deadline_ns) {
    answered_changed_.wait_until(mutex_, deadline_ns);
  }
  const bool in_time = ask != kOfItself && answered_ >= ask;
  if (waits && !in_time && begun_ > answered_) given_up_ = true;
  return {newest_, in_time};
}

bool CollectorMailbox::wait_for_ask() {
  MutexLock lock(mutex_);
  while (asked_ == answered_ && !closed_) asked_changed_.wait(mutex_);
  if (closed_) return false;
  begun_ = asked_;
  chain() = std::move(asker_);
  chain().push_back(this);
  return true;
}

void CollectorMailbox::publish(std::shared_ptr<const Collected> collected) {
  chain().clear();
  MutexLock lock(mutex_);
  newest_.swap(collected);  // the older one is destroyed after the lock
  answered_ = begun_;
  given_up_ = false;
  answered_changed_.notify_all();
}

bool CollectorMailbox::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  asked_changed_.notify_all();
  answered_changed_.notify_all();
  return begun_ == answered_;
}

}  // namespace inferometer
