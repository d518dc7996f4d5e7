// What is queued on streams, and in which order it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "cuda_runtime_api.h"
#include "random.h"

namespace inferometer::emulation {

/// One thing to do on a device, after what was queued on its stream before, and after `after`.
/// Single-owner.
struct Operation {
  int device = 0;
  std::function<void()> run;
  std::vector<std::shared_ptr<Operation>> after;
  bool done = false;
  int64_t done_ns = 0;  // host time
};

/// One stream, which lives on after it was destroyed until its last operation is done.
/// Single-owner.
struct Stream {
  int device = 0;
  bool waits_for_default = false;  // and the default stream for it
  std::deque<std::shared_ptr<Operation>> queued;
  std::shared_ptr<Operation> last;  // the last that was queued, done or not
};

/// Nothing runs until somebody waits for it; then operations of all streams run in an arbitrary
/// order that keeps to what comes after what, until that one is done. Single-owner.
class CUDA_EMULATION_API StreamQueues {
 public:
  explicit StreamQueues(std::function<void(Operation&)> runner) : runner_(std::move(runner)) {}

  /// Not a handle yet.
  std::shared_ptr<Stream> create(int device, bool waits_for_default);
  /// The default stream of a device, made when first asked for.
  std::shared_ptr<Stream> default_stream(int device);
  std::shared_ptr<Operation> queue(Stream& stream, std::function<void()> run,
                                   std::shared_ptr<Operation> after = nullptr);

  void run_until(const Operation& operation, Random& random);
  /// Until all that was queued on the device is done.
  void run_all(int device, Random& random);
  /// One operation of any stream, if there is one that may run.
  void run_one(Random& random);
  /// Calls it done without running what was queued on the device.
  void drop(int device);

  [[nodiscard]] size_t queued() const;

 private:
  [[nodiscard]] std::vector<std::shared_ptr<Operation>> last_of(const Stream& stream) const;
  void finish(Operation& operation);
  void forget_ended();

  std::function<void(Operation&)> runner_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::vector<std::shared_ptr<Stream>> defaults_;  // by device; null if not needed yet
};

}  // namespace inferometer::emulation
