// Faults that an application injects into its own models: for tests, alert drills and demos.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "inferometer/clock.h"

namespace inferometer {

/// What can go wrong with a batch.
enum class FaultKind : uint8_t {
  kDelay,    // it takes longer, by `seconds`
  kError,    // `ratio` of the batches fail
  kStall,    // the model does not return until the fault is over
  kPartial,  // `ratio` of the requests fail, the others of their batch succeed
};
inline constexpr size_t kFaultKinds = 4;
/// "delay", "error", "stall", "partial".
[[nodiscard]] std::string_view fault_kind_name(FaultKind kind) noexcept;
[[nodiscard]] std::optional<FaultKind> parse_fault_kind(std::string_view name) noexcept;

/// One fault and when it is in effect. A plain value; Faults::add() checks it.
struct Fault {
  FaultKind kind = FaultKind::kStall;
  double seconds = 0;  // kDelay
  double ratio = 0;    // kError, kPartial; 0 to 1
  double start_after_seconds = 0;
  std::optional<double> duration_seconds = {};  // none: until cleared
};

/// What one batch gets of the faults in effect when it begins.
struct BatchFaults {
  int64_t delay_ns = 0;
  bool stalled = false;
  std::optional<double> error_ratio;  // set: the batch fails, because of a fault with this ratio
  struct FailedRequest {
    size_t request = 0;
    double ratio = 0;
  };
  std::vector<FailedRequest> failed;

  // Faults::hold()'s own.
  int64_t begin_ns = 0;       // on steady_clock()
  uint64_t delay_clears = 0;  // how often delays had been cleared
};

/// Which faults there are, now and later. Faults overlap: delays add up, each error and partial
/// fault draws for itself, a batch is held until the last stall is over. With a seed the draws are
/// the same every time: the n-th draw of the k-th fault that was added is a function of seed, k and
/// n. One object may serve several models. It changes nothing but the models that were wrapped with
/// it (FaultyModel). Thread-safe.
class Faults {
 public:
  /// `clock`, which schedules and must outlive this, is steady_clock() if null; delays are wall
  /// time on any clock. Without a seed each object draws differently.
  explicit Faults(std::optional<uint64_t> seed = {}, const Clock* clock = nullptr);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Throws ConfigError for a ratio outside 0 to 1, for times that are negative or not finite, and
  /// for a duration of 0.
  void add(const Fault& fault);
  /// Takes back all faults of `kind` (none: of every kind), scheduled ones too. Batches that a
  /// stall or a delay holds go on at once.
  void clear(std::optional<FaultKind> kind = {});

  struct Active {
    Fault fault;
    std::optional<double> ends_in_seconds;  // none: when it is cleared
  };
  /// What is in effect now, in the order it was added.
  [[nodiscard]] std::vector<Active> active() const;
  /// What was injected so far, by FaultKind: batches, for kPartial requests.
  [[nodiscard]] std::array<uint64_t, kFaultKinds> injected() const;

  // For models with faults.

  /// True if no batch can meet a fault now: one atomic load, and the clock if some are scheduled.
  [[nodiscard]] bool quiet() const noexcept;
  /// True if a batch may be held, now or by what is scheduled. One atomic load.
  [[nodiscard]] bool may_hold() const noexcept;
  /// Draws what a batch of `requests` requests gets, and counts it.
  [[nodiscard]] BatchFaults begin_batch(size_t requests);
  /// Sleeps for as long as the batch is delayed or stalled. False if `stop`, which is followed by
  /// wake(), ended that.
  [[nodiscard]] bool hold(const BatchFaults& batch, const std::atomic<bool>& stop);
  /// As hold(), for a batch that began at `begin_ns` of this object's clock and whose delay is that
  /// clock's: when it goes on, as things stand. kNever: when a stall is cleared.
  [[nodiscard]] int64_t held_until_ns(const BatchFaults& batch, int64_t begin_ns) const;
  /// Has everybody in hold() look at their `stop`.
  void wake() noexcept;

 private:
  class Schedule;
  const std::unique_ptr<Schedule> schedule_;
};

}  // namespace inferometer
