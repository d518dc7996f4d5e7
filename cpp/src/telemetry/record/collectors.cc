#include "telemetry/record/collectors.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include "base/process_generation.h"
#include "inferometer/clock.h"

namespace inferometer {

using Late = CollectorOptions::Late;

Collector::Collector(const void* key, std::shared_ptr<FamilySource> source,
                     CollectorOptions options)
    : key_(key), source_(std::move(source)), options_(options) {}

Collector::~Collector() { leave_to_parent(); }

// Never destroyed in a child: its locks may be held for ever, and the thread is not there to join.
void Collector::leave_to_parent() noexcept {
  if (thread_ == nullptr || generation_ == process_generation()) return;
  (void)new (std::nothrow) std::shared_ptr<CollectorThread>(std::move(thread_));
  thread_ = nullptr;
}

std::shared_ptr<CollectorThread> Collector::thread() {
  leave_to_parent();
  if (thread_ == nullptr) {
    try {
      thread_ = std::make_shared<CollectorThread>(source_, options_);
      generation_ = process_generation();
    } catch (const std::system_error&) {
      return nullptr;
    }
  }
  return thread_;
}

Collectors::List Collectors::remove(const void* key) {
  List removed;
  for (auto& collector : list_) {
    if (collector->key() == key) removed.push_back(std::move(collector));
  }
  std::erase(list_, nullptr);
  return removed;
}

Collectors::Threads Collectors::threads(bool may_be_stale) {
  Threads threads;
  for (const auto& collector : list_) {
    if (!may_be_stale && collector->options().late == Late::kShowLast) continue;
    threads.push_back(collector->thread());
  }
  return threads;
}

bool Collectors::may_be_stale() const noexcept {
  return std::ranges::any_of(
      list_, [](const auto& collector) { return collector->options().late == Late::kShowLast; });
}

Merged collect(const Collectors::Threads& threads) {
  const int64_t now_ns = steady_clock().now_ns();
  std::vector<CollectorMailbox::Ask> asks;
  asks.reserve(threads.size());
  for (const auto& thread : threads) {
    asks.push_back(thread == nullptr ? 0 : thread->mailbox().ask());
  }
  Merged merged;
  for (size_t i = 0; i < threads.size(); ++i) {
    if (threads[i] == nullptr) {
      ++merged.errors;
      continue;
    }
    const CollectorOptions& options = threads[i]->options();
    const CollectorMailbox::Answer answer =
        threads[i]->mailbox().wait(asks[i], now_ns + options.timeout_ns);
    if (!answer.in_time && options.late == Late::kLeaveOut) {
      ++merged.errors;
      continue;
    }
    merged.stale = merged.stale || !answer.in_time;
    if (answer.newest == nullptr) continue;
    for (const ForeignFamily& family : answer.newest->families) merged.families.add(family);
    merged.families.drop(answer.newest->dropped);
    merged.errors += answer.newest->errors;
  }
  return merged;
}

}  // namespace inferometer
