#include "telemetry/record/history_switch.h"

#include <string>
#include <utility>

#include "base/process_generation.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "telemetry/record/history_thread.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

std::string described(const HistoryOptions& options) {
  return "seconds=" + float_text(options.seconds) +
         ", interval=" + float_text(options.interval_seconds) +
         ", max_bytes=" + std::to_string(options.max_bytes);
}

}  // namespace

struct HistorySwitch::Running {
  Running(std::shared_ptr<RegistryCore> registry, const HistoryOptions& options)
      : core(std::make_shared<HistoryCore>(std::move(registry), options, HistoryCore::Clocks{})) {
    core->sample();
    thread = std::make_unique<HistoryThread>(seconds_to_ns(options.interval_seconds),
                                             [this] { core->sample_or_lose(); });
  }

  const uint32_t generation = process_generation();
  const std::shared_ptr<HistoryCore> core;
  std::unique_ptr<HistoryThread> thread;
};

HistorySwitch::HistorySwitch(std::shared_ptr<RegistryCore> registry)
    : registry_(std::move(registry)), storage_(*registry_->storage()) {}

HistorySwitch::~HistorySwitch() { stop(); }

const HistorySwitch::Running* HistorySwitch::ours_locked() const {
  const bool ours = running_ != nullptr && running_->generation == process_generation();
  return ours ? running_.get() : nullptr;
}

bool HistorySwitch::check_running_locked(const HistoryOptions& options) const {
  const Running* const running = ours_locked();
  if (running == nullptr) return false;
  if (running->core->options() == options) return true;
  throw ConfigError("got a history with " + described(options) + " while one with " +
                    described(running->core->options()) +
                    " is running, want the same options, or stop_history() first");
}

void HistorySwitch::start(const HistoryOptions& options) {
  (void)options.samples();
  {
    MutexLock lock(storage_.mutex);
    if (check_running_locked(options)) return;
  }
  // Sampling takes the lock. Two callers may both come here: the second one's is stopped again,
  // once the lock is free.
  auto made = std::make_unique<Running>(registry_, options);
  MutexLock lock(storage_.mutex);
  if (check_running_locked(options)) return;
  leave_to_parent_locked();
  running_ = std::move(made);
}

void HistorySwitch::stop() {
  std::unique_ptr<Running>
      stopped;  // destroyed, and its thread joined, when the lock is free again
  MutexLock lock(storage_.mutex);
  if (ours_locked() == nullptr) {
    leave_to_parent_locked();
  } else {
    stopped = std::move(running_);
  }
}

void HistorySwitch::leave_to_parent_locked() {
  // Never destroyed: its locks may be held for ever, and its thread is not there to be joined.
  [[maybe_unused]] const Running* const left = running_.release();
}

std::shared_ptr<HistoryCore> HistorySwitch::find() const {
  MutexLock lock(storage_.mutex);
  const Running* const running = ours_locked();
  return running == nullptr ? nullptr : running->core;
}

std::shared_ptr<HistoryCore> HistorySwitch::get() const {
  if (auto core = find()) return core;
  throw ConfigError(
      "got no history, want a started one: call start_history() on this registry first (in each "
      "process: a forked child does not inherit it)");
}

}  // namespace inferometer
