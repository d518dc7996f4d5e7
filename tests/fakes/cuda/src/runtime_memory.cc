// The runtime's functions about memory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "call.h"
#include "shared_memory.h"

using inferometer::emulation::Call;
using inferometer::emulation::CallKind;
using inferometer::emulation::current_device;
using inferometer::emulation::Emulator;
using inferometer::emulation::kFillByte;
using inferometer::emulation::runtime_call;
using inferometer::emulation::Stream;

namespace {

/// Host memory that begins a page, as pinned memory does.
cudaError_t allocate_host(Call& call, void** pointer, size_t bytes) {
  constexpr size_t kPage = 4096;
  if (pointer == nullptr) return cudaErrorInvalidValue;
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  void* memory = nullptr;
  if (posix_memalign(&memory, kPage, bytes) != 0) return cudaErrorMemoryAllocation;
  std::memset(memory, kFillByte, bytes);
  call.emulator().pinned[reinterpret_cast<uintptr_t>(memory)] = {current_device(), bytes, false};
  *pointer = memory;
  return cudaSuccess;
}

/// One end of a copy, or what is to be set. Plain data.
struct End {
  const void* pointer;
  size_t bytes;
  bool on_device;
  bool pinned;
};

bool is_pinned(const Emulator& emulator, const void* pointer, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  auto found = emulator.pinned.upper_bound(address);
  if (found == emulator.pinned.begin()) return false;
  --found;
  const size_t offset = address - found->first;
  return offset < found->second.bytes && bytes <= found->second.bytes - offset;
}

/// False if it is not pinned, or in the other way.
bool unpin(Call& call, void* pointer, bool registered) {
  auto& pinned = call.emulator().pinned;
  const auto found = pinned.find(reinterpret_cast<uintptr_t>(pointer));
  if (found == pinned.end() || found->second.registered != registered) return false;
  pinned.erase(found);
  return true;
}

/// False if the pointer is not what it should be.
bool find_end(Emulator& emulator, int device, End& end) {
  if (end.on_device) return emulator.device(device).memory.holds(end.pointer, end.bytes);
  if (end.pointer == nullptr || emulator.device_of(end.pointer) >= 0) return false;
  end.pinned = is_pinned(emulator, end.pointer, end.bytes);
  return true;
}

/// To be called when the operation runs.
bool is_still_there(Emulator& emulator, int device, const End& end, const char* what) {
  if (end.on_device) return emulator.check_device_memory(device, {end.pointer, end.bytes}, what);
  return !end.pinned || emulator.check_pinned_memory(device, {end.pointer, end.bytes}, what);
}

/// Whether the source may change, or go, once the call has returned.
enum class Source : uint8_t { kInUse, kTakenAlong };

cudaError_t queue_copy(Call& call, Stream& stream, void* to, const void* from, size_t bytes,
                       cudaMemcpyKind kind, Source whose = Source::kInUse) {
  Emulator& emulator = call.emulator();
  End source = {from, bytes, false, false};
  End target = {to, bytes, false, false};
  switch (kind) {
    case cudaMemcpyHostToHost:
      break;
    case cudaMemcpyHostToDevice:
      target.on_device = true;
      break;
    case cudaMemcpyDeviceToHost:
      source.on_device = true;
      break;
    case cudaMemcpyDeviceToDevice:
      source.on_device = target.on_device = true;
      break;
    case cudaMemcpyDefault:
      source.on_device = emulator.device_of(from) >= 0;
      target.on_device = emulator.device_of(to) >= 0;
      break;
    default:
      return cudaErrorInvalidMemcpyDirection;
  }
  if (bytes == 0) return cudaSuccess;
  const int device = stream.device;
  if (!find_end(emulator, device, source) || !find_end(emulator, device, target)) {
    return cudaErrorInvalidValue;
  }
  std::shared_ptr<const std::vector<std::byte>> taken;
  if (whose == Source::kTakenAlong) {
    const auto* const first = static_cast<const std::byte*>(from);
    taken = std::make_shared<const std::vector<std::byte>>(first, first + bytes);
    source.pointer = taken->data();
  }
  emulator.queues.queue(stream, [&emulator, device, source, target, to, taken] {
    if (is_still_there(emulator, device, source, "the source of a copy") &&
        is_still_there(emulator, device, target, "the target of a copy")) {
      std::memcpy(to, source.pointer, source.bytes);
    }
  });
  return cudaSuccess;
}

cudaError_t queue_set(Call& call, Stream& stream, void* pointer, int value, size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  Emulator& emulator = call.emulator();
  const int device = stream.device;
  End target = {pointer, bytes, true, false};
  if (!find_end(emulator, device, target)) return cudaErrorInvalidValue;
  emulator.queues.queue(stream, [&emulator, device, target, pointer, value] {
    if (is_still_there(emulator, device, target, "what is set")) {
      std::memset(pointer, value, target.bytes);
    }
  });
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  return runtime_call("cudaMemGetInfo", CallKind::kWork, [&](Call& call) {
    if (free_bytes == nullptr || total_bytes == nullptr) return cudaErrorInvalidValue;
    const auto& memory = call.device().memory;
    *total_bytes = memory.capacity();
    *free_bytes = memory.capacity() > memory.used() ? memory.capacity() - memory.used() : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return runtime_call("cudaMalloc", CallKind::kWork, [&](Call& call) {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    *pointer = call.device().memory.allocate(bytes);
    return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* pointer) {
  return runtime_call("cudaFree", CallKind::kRelease, [&](Call& call) {
    if (pointer == nullptr) return cudaSuccess;
    for (const auto& device : call.emulator().devices) {
      if (device->memory.release(pointer)) return cudaSuccess;
    }
    return cudaErrorInvalidValue;
  });
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  return runtime_call("cudaMallocHost", CallKind::kWork,
                      [&](Call& call) { return allocate_host(call, pointer, bytes); });
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned /*flags*/) {
  return runtime_call("cudaHostAlloc", CallKind::kWork,
                      [&](Call& call) { return allocate_host(call, pointer, bytes); });
}

cudaError_t cudaFreeHost(void* pointer) {
  return runtime_call("cudaFreeHost", CallKind::kRelease, [&](Call& call) {
    if (pointer == nullptr) return cudaSuccess;
    if (!unpin(call, pointer, false)) return cudaErrorInvalidValue;
    std::free(pointer);
    return cudaSuccess;
  });
}

cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned /*flags*/) {
  return runtime_call("cudaHostRegister", CallKind::kWork, [&](Call& call) {
    if (pointer == nullptr || bytes == 0) return cudaErrorInvalidValue;
    if (is_pinned(call.emulator(), pointer, 1)) return cudaErrorHostMemoryAlreadyRegistered;
    call.emulator().pinned[reinterpret_cast<uintptr_t>(pointer)] = {current_device(), bytes, true};
    return cudaSuccess;
  });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return runtime_call("cudaHostUnregister", CallKind::kRelease, [&](Call& call) {
    return unpin(call, pointer, true) ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return runtime_call("cudaMemcpy", CallKind::kWork, [&](Call& call) {
    Emulator& emulator = call.emulator();
    const auto stream = emulator.queues.default_stream(current_device());
    const bool pageable = kind == cudaMemcpyHostToDevice && !is_pinned(emulator, from, bytes);
    // "The DMA to final destination may not have completed" (CUDA Runtime API, "API synchronization
    // behavior"), and streams that do not wait for the default stream may be ahead of it.
    const cudaError_t error = queue_copy(call, *stream, to, from, bytes, kind,
                                         pageable ? Source::kTakenAlong : Source::kInUse);
    if (error != cudaSuccess || stream->last == nullptr || pageable) return error;
    return emulator.run_until(*stream->last);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t handle) {
  return runtime_call("cudaMemcpyAsync", CallKind::kWork, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = call.emulator().find_stream(handle, stream);
    return error != cudaSuccess ? error : queue_copy(call, *stream, to, from, bytes, kind);
  });
}

cudaError_t cudaMemset(void* pointer, int value, size_t bytes) {
  return runtime_call("cudaMemset", CallKind::kWork, [&](Call& call) {
    const auto stream = call.emulator().queues.default_stream(current_device());
    return queue_set(call, *stream, pointer, value, bytes);
  });
}

cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t handle) {
  return runtime_call("cudaMemsetAsync", CallKind::kWork, [&](Call& call) {
    std::shared_ptr<Stream> stream;
    const cudaError_t error = call.emulator().find_stream(handle, stream);
    return error != cudaSuccess ? error : queue_set(call, *stream, pointer, value, bytes);
  });
}
