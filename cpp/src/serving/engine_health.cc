// EngineCore, health: instances whose device fails whatever it is asked.
#include <algorithm>
#include <utility>

#include "serving/device_fault.h"
#include "serving/engine_core.h"

namespace inferometer {

bool EngineCore::note_device_fault(const std::exception_ptr& error,
                                   const Executable& executable) noexcept {
  const std::optional<DeviceFault> fault = device_fault_of(error);
  if (!fault) return false;
  if (recorder_) recorder_->record_device_error(*fault);
  return !executable.healthy();
}

void EngineCore::lose_instance_locked(size_t instance) {
  instances_[instance].lost = true;
  all_lost_ = std::ranges::all_of(instances_, &Instance::lost);
  if (!all_lost_) {
    instances_[instance].resting = true;
    --free_;
    ++resting_;
    return;
  }
  // Nobody is left who could do better: what comes is to fail, not to wait for a swap.
  wake_resting_instances_locked();
}

void EngineCore::recover_instances_locked() {
  for (Instance& instance : instances_) instance.lost = false;
  all_lost_ = false;
  wake_resting_instances_locked();
}

void EngineCore::wake_resting_instances_locked() {
  for (Instance& instance : instances_) instance.resting = false;
  free_ += std::exchange(resting_, 0);
}

}  // namespace inferometer
