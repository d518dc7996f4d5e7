// What tests say to the emulation.
#include <map>

#include "call.h"
#include "cuda_emulation.h"
#include "sanitizer.h"

namespace inferometer::emulation {

void reset() { Access().renew(); }

void set_devices(int count) { Access()->set_devices(count); }

void set_driver(bool present) { Access()->driver = present; }

void set_capacity(int device, size_t bytes) {
  Access emulator;
  if (emulator->has_device(device)) emulator->device(device).memory.set_capacity(bytes);
}

void set_compute_capability(int device, int major, int minor) {
  Access emulator;
  if (!emulator->has_device(device)) return;
  emulator->device(device).major = major;
  emulator->device(device).minor = minor;
}

void set_seed(uint64_t seed) {
  Access emulator;
  emulator->seed = seed;
  emulator->random = Random(seed);
}

uint64_t seed() { return Access()->seed; }

void fail_call(std::string_view name, uint64_t nth, int error) {
  Access()->calls.plan(name, nth, error);
}

size_t clear_failures() { return Access()->calls.forget_plans(); }

void lose_device(int device, cudaError_t error) {
  Access emulator;
  if (emulator->has_device(device)) emulator->device(device).next_kernel_is = error;
}

Live live() {
  Access emulator;
  Live live = {};
  for (const auto& device : emulator->devices) {
    live.allocations += device->memory.allocations();
    live.bytes += device->memory.used();
  }
  live.pinned_allocations = emulator->pinned.size();
  for (const auto& [address, memory] : emulator->pinned) live.pinned_bytes += memory.bytes;
  live.streams = emulator->streams.size();
  live.events = emulator->events.size();
  live.cublas_handles = emulator->cublas_handles.size();
  live.queued_operations = emulator->queues.queued();
  return live;
}

uint64_t calls(std::string_view name) { return Access()->calls.count(name); }

void reset_calls() { Access()->calls.forget_counts(); }

std::string last_failure() { return Access()->last_failure; }

bool has_address_sanitizer() { return INFEROMETER_ADDRESS_SANITIZER != 0; }

}  // namespace inferometer::emulation

namespace emulation = inferometer::emulation;

void inferometer_emulation_reset() { emulation::reset(); }
void inferometer_emulation_set_devices(int count) { emulation::set_devices(count); }
void inferometer_emulation_set_driver(int present) { emulation::set_driver(present != 0); }
void inferometer_emulation_set_capacity(int device, size_t bytes) {
  emulation::set_capacity(device, bytes);
}
void inferometer_emulation_set_seed(uint64_t seed) { emulation::set_seed(seed); }
uint64_t inferometer_emulation_seed() { return emulation::seed(); }
void inferometer_emulation_fail_call(const char* name, uint64_t nth, int error) {
  emulation::fail_call(name, nth, error);
}
size_t inferometer_emulation_clear_failures() { return emulation::clear_failures(); }
void inferometer_emulation_lose_device(int device, int error) {
  emulation::lose_device(device, static_cast<cudaError_t>(error));
}

size_t inferometer_emulation_live(const char* field) {
  const emulation::Live live = emulation::live();
  const std::map<std::string_view, size_t> fields = {
      {"allocations", live.allocations},
      {"bytes", live.bytes},
      {"pinned_allocations", live.pinned_allocations},
      {"pinned_bytes", live.pinned_bytes},
      {"streams", live.streams},
      {"events", live.events},
      {"cublas_handles", live.cublas_handles},
      {"queued_operations", live.queued_operations},
  };
  const auto found = fields.find(field);
  return found == fields.end() ? SIZE_MAX : found->second;
}

uint64_t inferometer_emulation_calls(const char* name) { return emulation::calls(name); }
void inferometer_emulation_reset_calls() { emulation::reset_calls(); }

const char* inferometer_emulation_last_failure() {
  thread_local std::string text;
  text = emulation::last_failure();
  return text.c_str();
}
