// Whether a registry keeps a history.
#pragma once

#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "inferometer/history.h"
#include "telemetry/record/history_core.h"
#include "telemetry/record/registry_core.h"
#include "telemetry/record/storage.h"

namespace inferometer {

/// Off until start(): no thread and no memory but this object. A history belongs to the process
/// that started it: its thread stays behind at fork(), in the middle of whatever it was doing, so a
/// child leaves that history's memory alone, sees none, and may start its own. Lifetime: ends with
/// the registry, whose thread it stops then. Thread-safe.
class HistorySwitch {
 public:
  explicit HistorySwitch(std::shared_ptr<RegistryCore> registry);
  ~HistorySwitch();
  HistorySwitch(const HistorySwitch&) = delete;
  HistorySwitch& operator=(const HistorySwitch&) = delete;

  /// Takes the first sample and starts the thread. Does nothing if a history with these options is
  /// running. Throws ConfigError for options out of range or if one with others is running.
  void start(const HistoryOptions& options);
  /// Ends the thread and forgets the samples. Does nothing if none is running.
  void stop();
  /// The running one, or null. Its thread may end before the last holder lets go of it.
  [[nodiscard]] std::shared_ptr<HistoryCore> find() const;
  /// The same, but throws ConfigError saying how to start one.
  [[nodiscard]] std::shared_ptr<HistoryCore> get() const;

 private:
  struct Running;
  // Whether one with these options is running. Throws ConfigError if one with others is.
  [[nodiscard]] bool check_running_locked(const HistoryOptions& options) const
      REQUIRES(storage_.mutex);
  [[nodiscard]] const Running* ours_locked() const REQUIRES(storage_.mutex);
  // Lets go of one that a forked parent started, if there is one.
  void leave_to_parent_locked() REQUIRES(storage_.mutex);

  const std::shared_ptr<RegistryCore> registry_;
  Storage& storage_;  // the registry's: its lock is one that a forked child finds free
  std::unique_ptr<Running> running_ GUARDED_BY(storage_.mutex);
};

}  // namespace inferometer
