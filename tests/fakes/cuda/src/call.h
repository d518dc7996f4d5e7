// One call of an emulated function.
#pragma once

#include <optional>

#include "base/mutex.h"
#include "emulator.h"

namespace inferometer::emulation {

/// Holds the lock over all emulated devices while it lives, so that there is one call at a time,
/// and one device operation. Counts the call. Single-owner.
class CUDA_EMULATION_API Call {
 public:
  Call(const char* name, CallKind kind);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] Emulator& emulator() { return emulator_; }
  [[nodiscard]] Device& device() { return emulator_.device(current_device()); }
  /// The failure that was planned for this call.
  [[nodiscard]] const std::optional<PlannedError>& planned() const { return planned_; }
  /// Why the call may not do what it is there for, success if it may.
  [[nodiscard]] cudaError_t refusal() const {
    return planned_.has_value() ? static_cast<cudaError_t>(planned_->error) : state_;
  }
  /// The same, had nothing been planned.
  [[nodiscard]] cudaError_t state() const { return state_; }

 private:
  MutexLock lock_;
  Emulator& emulator_;
  std::optional<PlannedError> planned_;
  cudaError_t state_;
};

/// The lock and the Emulator for those that are no calls. Single-owner.
class CUDA_EMULATION_API Access {
 public:
  Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  Emulator* operator->() { return emulator_; }
  /// Everything is as at the start of the process.
  void renew();

 private:
  MutexLock lock_;
  Emulator* emulator_;
};

/// Calls body(call) unless the call is to be refused, and remembers what went wrong for
/// cudaGetLastError().
template <typename Body>
cudaError_t runtime_call(const char* name, CallKind kind, Body body) {
  Call call(name, kind);
  const cudaError_t refusal = call.refusal();
  cudaError_t error = refusal;
  const bool nevertheless =
      kind == CallKind::kRelease || (kind == CallKind::kWait && call.state() == cudaSuccess);
  if (refusal == cudaSuccess || nevertheless) {
    const cudaError_t result = body(call);
    if (refusal == cudaSuccess) error = result;
  }
  if (error != cudaSuccess) last_error() = error;
  return error;
}

}  // namespace inferometer::emulation
