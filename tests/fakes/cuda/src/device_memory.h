// The memory of one emulated device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "cuda_runtime_api.h"

namespace inferometer::emulation {

/// Allocations of a device, which are host memory, filled when new and again before they go. With
/// AddressSanitizer nobody may touch them unless the memory is open. Single-owner.
class CUDA_EMULATION_API DeviceMemory {
 public:
  explicit DeviceMemory(size_t capacity) : capacity_(capacity) {}
  ~DeviceMemory() { clear(); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Null if there is not enough left. `bytes` is at least 1.
  void* allocate(size_t bytes);
  /// False if `pointer` does not begin an allocation.
  bool release(void* pointer);
  void clear();
  /// True if some allocation has all of these bytes.
  [[nodiscard]] bool holds(const void* pointer, size_t bytes) const;
  /// True if some allocation has the first of these bytes, or any if there are none.
  [[nodiscard]] bool holds_address(const void* pointer) const;

  void open();
  void close();

  void set_capacity(size_t bytes) { capacity_ = bytes; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] size_t used() const { return used_; }
  [[nodiscard]] size_t allocations() const { return allocations_.size(); }

 private:
  using Allocations = std::map<uintptr_t, size_t>;  // bytes by address

  [[nodiscard]] Allocations::const_iterator around(const void* pointer) const;
  void give_back(uintptr_t address, size_t bytes);

  size_t capacity_;
  size_t used_ = 0;
  bool open_ = false;
  Allocations allocations_;
};

}  // namespace inferometer::emulation
