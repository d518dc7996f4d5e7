#include "emulator.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "sanitizer.h"

namespace inferometer::emulation {
namespace {

/// Has AddressSanitizer look at each byte.
void touch(const MemoryRange& range) {
  const auto* const bytes = static_cast<const volatile unsigned char*>(range.begin);
  for (size_t i = 0; i < range.bytes; ++i) (void)bytes[i];
}

}  // namespace

int& current_device() {
  thread_local int device = 0;
  return device;
}

cudaError_t& last_error() {
  thread_local cudaError_t error = cudaSuccess;
  return error;
}

Emulator::Emulator(const Settings& given)
    : settings(given),
      driver(given.driver),
      seed(given.seed),
      random(given.seed),
      queues([this](Operation& operation) { run(operation); }) {
  set_devices(given.devices);
  const size_t name_end = given.failure.find(':');
  const size_t nth_end = given.failure.find(':', name_end + 1);
  if (name_end != std::string::npos && nth_end != std::string::npos) {
    calls.plan(given.failure.substr(0, name_end),
               std::strtoull(given.failure.c_str() + name_end + 1, nullptr, 10),
               static_cast<int>(std::strtol(given.failure.c_str() + nth_end + 1, nullptr, 10)));
  }
}

void Emulator::set_devices(int count) {
  const auto wanted = static_cast<size_t>(std::max(count, 0));
  while (devices.size() > wanted) {
    destroy_context(static_cast<int>(devices.size()) - 1);
    devices.pop_back();
  }
  while (devices.size() < wanted) {
    devices.push_back(std::make_unique<Device>(settings.memory_bytes));
  }
}

void Emulator::destroy_context(int index) {
  queues.drop(index);
  std::erase_if(streams, [&](const auto& entry) { return entry.second->device == index; });
  std::erase_if(events, [&](const auto& entry) { return entry.second.device == index; });
  std::erase_if(cublas_handles, [&](const auto& entry) { return entry.second.device == index; });
  std::erase_if(pinned, [&](const auto& entry) {
    if (entry.second.device != index) return false;
    if (!entry.second.registered) std::free(reinterpret_cast<void*>(entry.first));
    return true;
  });
  device(index).memory.clear();
  device(index).lost = cudaSuccess;
  device(index).next_kernel_is = cudaSuccess;
}

bool Emulator::has_device(int index) const {
  return index >= 0 && static_cast<size_t>(index) < devices.size();
}

int Emulator::device_of(const void* pointer) const {
  for (size_t i = 0; i < devices.size(); ++i) {
    if (devices[i]->memory.holds_address(pointer)) return static_cast<int>(i);
  }
  return -1;
}

cudaError_t Emulator::find_stream(cudaStream_t handle, std::shared_ptr<Stream>& stream) {
  // CUDA has three handles that need not be created; nobody here wants a default stream per thread.
  constexpr uintptr_t kLegacyDefault = 1;
  if (reinterpret_cast<uintptr_t>(handle) <= kLegacyDefault) {
    stream = queues.default_stream(current_device());
  } else {
    const auto found = streams.find(handle);
    if (found == streams.end()) return cudaErrorInvalidResourceHandle;
    stream = found->second;
  }
  return device(stream->device).lost;
}

cudaError_t Emulator::find_event(cudaEvent_t handle, Event*& event) {
  const auto found = events.find(handle);
  if (found == events.end()) return cudaErrorInvalidResourceHandle;
  event = &found->second;
  return device(event->device).lost;
}

cudaError_t Emulator::queue_kernel(cudaStream_t handle, Kernel kernel) {
  std::shared_ptr<Stream> stream;
  const cudaError_t error = find_stream(handle, stream);
  if (error != cudaSuccess) return error;
  const int index = stream->device;
  if (index != current_device()) return cudaErrorInvalidResourceHandle;
  queues.queue(*stream, [this, index, kernel = std::move(kernel)] {
    if (!may_begin_kernel(index)) return;
    const std::string failure = grids.run(kernel, random);
    if (!failure.empty()) lose(index, cudaErrorLaunchFailure, failure);
  });
  return cudaSuccess;
}

bool Emulator::may_begin_kernel(int index) {
  const cudaError_t error = std::exchange(device(index).next_kernel_is, cudaSuccess);
  if (error != cudaSuccess) lose(index, error, "as lose_device() asked for");
  return error == cudaSuccess;
}

void Emulator::run(Operation& operation) {
  if (open_device_ != operation.device) {
    close_memory();
    device(operation.device).memory.open();
    open_device_ = operation.device;
  }
  if (operation.run) operation.run();
  if (device(operation.device).lost != cudaSuccess) queues.drop(operation.device);
}

void Emulator::close_memory() {
  if (open_device_ >= 0) device(open_device_).memory.close();
  open_device_ = -1;
}

cudaError_t Emulator::run_until(const Operation& operation) {
  const int index = operation.device;
  queues.run_until(operation, random);
  close_memory();
  return device(index).lost;
}

cudaError_t Emulator::run_all(int index) {
  queues.run_all(index, random);
  close_memory();
  return device(index).lost;
}

void Emulator::run_one() {
  queues.run_one(random);
  close_memory();
}

bool Emulator::check_device_memory(int index, MemoryRange range, const std::string& what) {
  if (device(index).memory.holds(range.begin, range.bytes)) return true;
  if (INFEROMETER_ADDRESS_SANITIZER) touch(range);
  lose(index, cudaErrorIllegalAddress,
       what + " is not memory of the device (freed in the meantime?)");
  return false;
}

bool Emulator::check_pinned_memory(int index, MemoryRange range, const std::string& what) {
  const auto address = reinterpret_cast<uintptr_t>(range.begin);
  auto found = pinned.upper_bound(address);
  if (found != pinned.begin()) {
    --found;
    const size_t offset = address - found->first;
    if (offset <= found->second.bytes && range.bytes <= found->second.bytes - offset) return true;
  }
  if (INFEROMETER_ADDRESS_SANITIZER) touch(range);
  lose(index, cudaErrorIllegalAddress, what + " is no longer pinned memory");
  return false;
}

void Emulator::lose(int index, cudaError_t error, const std::string& why) {
  device(index).lost = error;
  note(index, std::string(cudaGetErrorName(error)) + ": " + why);
}

void Emulator::note(int index, const std::string& what) {
  last_failure =
      "device " + std::to_string(index) + ": " + what + " (seed " + std::to_string(seed) + ")";
}

uintptr_t Emulator::new_handle_number() {
  // Guarded as the Emulator is; goes on when that is replaced, so that no handle becomes valid
  // again.
  static uintptr_t number = 0x1000;
  return number += 0x10;
}

}  // namespace inferometer::emulation
