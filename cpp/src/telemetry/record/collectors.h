// The foreign sources of one registry.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "telemetry/record/collector_thread.h"
#include "telemetry/record/family_source.h"
#include "telemetry/record/foreign.h"

namespace inferometer {

/// A source, and its thread in this process once it was asked. A forked child has none of its
/// parent's threads and makes its own. Single-owner.
class Collector {
 public:
  /// `key` is what remove() finds it by.
  Collector(const void* key, std::shared_ptr<FamilySource> source, CollectorOptions options);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  [[nodiscard]] const void* key() const noexcept { return key_; }
  [[nodiscard]] const CollectorOptions& options() const noexcept { return options_; }
  /// Starts it if need be; null if there can be no more threads.
  [[nodiscard]] std::shared_ptr<CollectorThread> thread();

 private:
  void leave_to_parent() noexcept;

  const void* const key_;
  const std::shared_ptr<FamilySource> source_;
  const CollectorOptions options_;
  std::shared_ptr<CollectorThread> thread_;
  uint32_t generation_ = 0;  // of the process that started it
};

/// Sources in order of registration. To be guarded by the registry's lock, which fork() takes; what
/// remove() returns is to be destroyed without it, as threads may end then. Single-owner.
class Collectors {
 public:
  using List = std::vector<std::unique_ptr<Collector>>;
  /// Null where no thread could be had.
  using Threads = std::vector<std::shared_ptr<CollectorThread>>;

  void add(std::unique_ptr<Collector> collector) { list_.push_back(std::move(collector)); }
  /// Takes out all of that key.
  [[nodiscard]] List remove(const void* key);
  /// Starts the threads that are not there yet; with `may_be_stale` false only of those that are
  /// left out when they are late.
  [[nodiscard]] Threads threads(bool may_be_stale);
  /// Whether there is one whose last values are shown when it is late.
  [[nodiscard]] bool may_be_stale() const noexcept;

 private:
  List list_;
};

/// What foreign sources have for one exposition.
struct Merged {
  ForeignFamilies families;
  uint64_t errors = 0;  ///< Collectors that failed, or were late and are left out.
  bool stale = false;   ///< Whether last values stand in for present ones.
};

/// Asks all of them at once, then waits for each at most as long as its options say. To be called
/// without a lock.
[[nodiscard]] Merged collect(const Collectors::Threads& threads);

}  // namespace inferometer
