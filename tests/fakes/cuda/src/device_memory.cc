#include "device_memory.h"

#include <cstdlib>
#include <cstring>

#include "sanitizer.h"
#include "shared_memory.h"

namespace inferometer::emulation {
namespace {

constexpr size_t kAlignment = 256;  // as cudaMalloc's

void* pointer_to(uintptr_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

void* DeviceMemory::allocate(size_t bytes) {
  if (bytes > capacity_ || used_ > capacity_ - bytes) return nullptr;
  void* pointer = nullptr;
  // Not rounded up: AddressSanitizer sees the very end.
  if (posix_memalign(&pointer, kAlignment, bytes) != 0) return nullptr;
  std::memset(pointer, kFillByte, bytes);
  if (!open_) sanitizer::poison(pointer, bytes);
  allocations_.emplace(reinterpret_cast<uintptr_t>(pointer), bytes);
  used_ += bytes;
  return pointer;
}

bool DeviceMemory::release(void* pointer) {
  const auto found = allocations_.find(reinterpret_cast<uintptr_t>(pointer));
  if (found == allocations_.end()) return false;
  give_back(found->first, found->second);
  allocations_.erase(found);
  return true;
}

void DeviceMemory::clear() {
  for (const auto& [address, bytes] : allocations_) give_back(address, bytes);
  allocations_.clear();
}

void DeviceMemory::give_back(uintptr_t address, size_t bytes) {
  void* const pointer = pointer_to(address);
  sanitizer::unpoison(pointer, bytes);
  std::memset(pointer, kFillByte, bytes);
  std::free(pointer);
  used_ -= bytes;
}

DeviceMemory::Allocations::const_iterator DeviceMemory::around(const void* pointer) const {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return allocations_.end();
  --after;
  return address - after->first < after->second ? after : allocations_.end();
}

bool DeviceMemory::holds_address(const void* pointer) const {
  return around(pointer) != allocations_.end();
}

bool DeviceMemory::holds(const void* pointer, size_t bytes) const {
  const auto found = around(pointer);
  if (found == allocations_.end()) return false;
  const size_t offset = reinterpret_cast<uintptr_t>(pointer) - found->first;
  return bytes <= found->second - offset;
}

void DeviceMemory::open() {
  open_ = true;
  for (const auto& [address, bytes] : allocations_) sanitizer::unpoison(pointer_to(address), bytes);
}

void DeviceMemory::close() {
  open_ = false;
  for (const auto& [address, bytes] : allocations_) sanitizer::poison(pointer_to(address), bytes);
}

}  // namespace inferometer::emulation
