// All emulated devices and what is on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "call_record.h"
#include "cuda_runtime_api.h"
#include "device_memory.h"
#include "grid_runner.h"
#include "random.h"
#include "settings.h"
#include "stream_queues.h"

namespace inferometer::emulation {

/// Single-owner, as is all that follows: the one Emulator is reached through Call.
struct Device {
  explicit Device(size_t capacity) : memory(capacity) {}

  DeviceMemory memory;
  int major = 9, minor = 0;                  // its compute capability
  cudaError_t lost = cudaSuccess;            // what every call returns
  cudaError_t next_kernel_is = cudaSuccess;  // how the next kernel is to fail
};

struct Event {
  int device;
  bool timed;
  std::shared_ptr<Operation> recorded;  // null before the first time
};

/// Host memory that a device knows.
struct PinnedMemory {
  int device;
  size_t bytes;
  bool registered = false;  // the memory is its owner's
};

struct CublasHandle {
  int device = 0;
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
  bool tf32 = false;
};

/// What a copy or matrix touches on a device or in pinned memory. Plain data.
struct MemoryRange {
  const void* begin;
  size_t bytes;
};

class CUDA_EMULATION_API Emulator {
 public:
  explicit Emulator(const Settings& settings);
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;
  ~Emulator() { set_devices(0); }

  void set_devices(int count);
  /// Of the context of a device: nothing is left of it.
  void destroy_context(int device);
  [[nodiscard]] Device& device(int index) { return *devices[static_cast<size_t>(index)]; }
  [[nodiscard]] bool has_device(int index) const;
  /// The device that holds an address, -1 if it is none of a device.
  [[nodiscard]] int device_of(const void* pointer) const;

  /// The stream of a handle: cudaErrorInvalidResourceHandle if there is none, or what its device
  /// was lost with.
  cudaError_t find_stream(cudaStream_t handle, std::shared_ptr<Stream>& stream);
  cudaError_t find_event(cudaEvent_t handle, Event*& event);
  cudaError_t queue_kernel(cudaStream_t handle, Kernel kernel);

  /// Runs what is queued until `operation` is done; what its device was lost with, if it was.
  cudaError_t run_until(const Operation& operation);
  cudaError_t run_all(int device);
  void run_one();

  /// To be called by what runs on a device: whether it still holds all these bytes. If not,
  /// AddressSanitizer says so, or else the device is lost.
  bool check_device_memory(int device, MemoryRange range, const std::string& what);
  bool check_pinned_memory(int device, MemoryRange range, const std::string& what);
  /// To be called by a kernel before it runs: false if the device is lost with it instead.
  bool may_begin_kernel(int device);
  /// To be called by what runs on a device: that is its end.
  void lose(int device, cudaError_t error, const std::string& why);
  /// For last_failure().
  void note(int device, const std::string& what);

  /// Never the same twice.
  template <typename Handle>
  static Handle new_handle() {
    return reinterpret_cast<Handle>(new_handle_number());
  }

  const Settings settings;
  bool driver;
  uint64_t seed;
  Random random;
  std::vector<std::unique_ptr<Device>> devices;
  StreamQueues queues;
  std::map<cudaStream_t, std::shared_ptr<Stream>> streams;
  std::map<cudaEvent_t, Event> events;
  std::map<uintptr_t, PinnedMemory> pinned;
  std::map<void*, CublasHandle> cublas_handles;
  CallRecord calls;
  GridRunner grids;
  std::string last_failure;

 private:
  static uintptr_t new_handle_number();
  void run(Operation& operation);
  void close_memory();

  int open_device_ = -1;
};

/// The device of the calling thread.
CUDA_EMULATION_API int& current_device();
/// What cudaGetLastError() will say to the calling thread.
CUDA_EMULATION_API cudaError_t& last_error();

}  // namespace inferometer::emulation
