#include "call.h"

#include <memory>

namespace inferometer::emulation {
namespace {

/// Never destroyed: other static objects may release what they hold at the very end.
struct World {
  Mutex mutex;
  std::unique_ptr<Emulator> emulator = std::make_unique<Emulator>(settings_of_environment());
};

World& world() {
  static auto* const made = new World;
  return *made;
}

cudaError_t refusal_of(Emulator& emulator, CallKind kind) {
  if (kind == CallKind::kAnswer) return cudaSuccess;
  if (!emulator.driver) return cudaErrorInsufficientDriver;
  if (emulator.devices.empty()) return cudaErrorNoDevice;
  if (kind == CallKind::kSurvey) return cudaSuccess;
  if (!emulator.has_device(current_device())) return cudaErrorInvalidDevice;
  return emulator.device(current_device()).lost;
}

}  // namespace

// The analysis does not follow a lock that is a member.
Call::Call(const char* name, CallKind kind) NO_THREAD_SAFETY_ANALYSIS
    : lock_(world().mutex),
      emulator_(*world().emulator),
      planned_(emulator_.calls.note(name, kind)),
      state_(refusal_of(emulator_, kind)) {}

Access::Access() NO_THREAD_SAFETY_ANALYSIS : lock_(world().mutex),
                                             emulator_(world().emulator.get()) {}

void Access::renew() {
  world().emulator = nullptr;
  world().emulator = std::make_unique<Emulator>(settings_of_environment());
  emulator_ = world().emulator.get();
  current_device() = 0;
  last_error() = cudaSuccess;
}

}  // namespace inferometer::emulation
