// One foreign source of families and the thread that asks it.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "telemetry/record/collector_mailbox.h"
#include "telemetry/record/family_source.h"

namespace inferometer {

/// How long a source is waited for, and what is shown when it is late.
struct CollectorOptions {
  enum class Late : uint8_t {
    kLeaveOut,  ///< Nothing, and the collector counts as failed.
    kShowLast,  ///< What it gave last, and the exposition says that something in it is stale.
  };
  int64_t timeout_ns = 0;
  Late late = Late::kLeaveOut;
};

/// Sleeps until it is asked, without wake-ups. Belongs to the process that made it.
/// Lifetime: its end does not wait for a source that hangs; source and mailbox live as long as the
/// call that is going on. Thread-safe.
class CollectorThread {
 public:
  /// Throws std::system_error if there can be no more threads.
  CollectorThread(std::shared_ptr<FamilySource> source, CollectorOptions options);
  ~CollectorThread();
  CollectorThread(const CollectorThread&) = delete;
  CollectorThread& operator=(const CollectorThread&) = delete;

  [[nodiscard]] const CollectorOptions& options() const noexcept { return options_; }
  [[nodiscard]] CollectorMailbox& mailbox() noexcept { return *mailbox_; }

 private:
  const CollectorOptions options_;
  const std::shared_ptr<CollectorMailbox> mailbox_;
  std::thread thread_;
};

}  // namespace inferometer
