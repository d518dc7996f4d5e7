// One CUDA device as this process uses it, until it is lost.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>

namespace inferometer::cuda {

/// CUDA's context of a device is lost for good with the first error of a kernel ("sticky" errors):
/// from then on every call fails, also those of other users of the device in this process. Only
/// cudaDeviceReset() helps, which takes all memory, streams and events of the device away. So the
/// next user gets a fresh context, and those of the lost one find out that it is lost before they
/// touch anything.
///
/// A forked child has nothing of a context, and CUDA's locks may be held there for ever: it is kept
/// from calling CUDA at all. Thread-safe.
class Context {
 public:
  /// The context of this device; a fresh one, if the last one was lost. Throws DeviceError.
  static std::shared_ptr<Context> of(int device);
  /// Context::of() makes them.
  explicit Context(int device) noexcept;
  /// Throws DeviceError in a forked child of a process that has had a context.
  static void refuse_in_child();

  [[nodiscard]] int device() const noexcept { return device_; }
  [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  /// While one is held the device is the thread's current one, and nobody resets it.
  using Use = std::shared_lock<std::shared_mutex>;
  /// Throws DeviceError if the context is lost, or the parent's.
  [[nodiscard]] Use enter();
  /// Nothing, if there is nothing left to be done: for destructors.
  [[nodiscard]] std::optional<Use> try_enter() noexcept;
  /// Throws the DeviceError that says what went wrong with `what`, and notes a lost context.
  void check(cudaError_t status, const char* what);
  /// Notes a lost context, and has CUDA forget the error, for who has no use for it.
  void note(cudaError_t status) noexcept;

 private:
  void refuse_if_lost() const;
  void reset();

  const int device_;
  std::atomic<bool> lost_{false};
  std::shared_mutex in_use_;  // held exclusively by reset() alone
};

}  // namespace inferometer::cuda
