// What tests say to the emulated GPUs, and ask of them (README.md). Everything is thread-safe. The
// functions at the end are for ctypes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cuda_runtime_api.h"

namespace inferometer::emulation {

/// As at the start of the process: what the environment says, nothing allocated, nothing counted,
/// no failures to come. Every pointer and handle is invalid. Queued operations are dropped.
CUDA_EMULATION_API void reset();

/// So many devices from now on; those that go take what they hold with them.
CUDA_EMULATION_API void set_devices(int count);
/// Without a driver every call is cudaErrorInsufficientDriver.
CUDA_EMULATION_API void set_driver(bool present);
/// Memory of a device, in bytes; what is allocated stays.
CUDA_EMULATION_API void set_capacity(int device, size_t bytes);
/// What a device can do: 9.0, unless something else is said.
CUDA_EMULATION_API void set_compute_capability(int device, int major, int minor);
/// Seeds the order of threads, blocks and streams.
CUDA_EMULATION_API void set_seed(uint64_t seed);
CUDA_EMULATION_API uint64_t seed();

/// Any call but those that release, read the last error or name an error.
inline constexpr std::string_view kAnyCall = "any";
/// The `nth` call from now (1: the next one) of the function `name`, or of any, returns `error` and
/// does nothing; a call that releases or synchronises does so nevertheless. Kernels are
/// "cudaLaunchKernel". Of a cuBLAS function that is named, `error` is the cuBLAS status.
CUDA_EMULATION_API void fail_call(std::string_view name, uint64_t nth, int error);
/// Forgets the failures that have not come yet. How many there were.
CUDA_EMULATION_API size_t clear_failures();
/// The next kernel or matrix product of the device fails with `error` when it runs, and so does
/// every call after it, until cudaDeviceReset().
CUDA_EMULATION_API void lose_device(int device, cudaError_t error);

/// What is there on all devices.
struct Live {
  size_t allocations;
  size_t bytes;
  size_t pinned_allocations;
  size_t pinned_bytes;
  size_t streams;
  size_t events;
  size_t cublas_handles;
  size_t queued_operations;
};
CUDA_EMULATION_API Live live();
/// Calls since the start or reset_calls(); of all functions with kAnyCall.
CUDA_EMULATION_API uint64_t calls(std::string_view name);
CUDA_EMULATION_API void reset_calls();
/// What the last failure on a device was: divergent barriers, illegal addresses. Empty if none.
CUDA_EMULATION_API std::string last_failure();
/// True if the emulation was built with AddressSanitizer.
CUDA_EMULATION_API bool has_address_sanitizer();

}  // namespace inferometer::emulation

extern "C" {

CUDA_EMULATION_API void inferometer_emulation_reset();
CUDA_EMULATION_API void inferometer_emulation_set_devices(int count);
CUDA_EMULATION_API void inferometer_emulation_set_driver(int present);
CUDA_EMULATION_API void inferometer_emulation_set_capacity(int device, size_t bytes);
CUDA_EMULATION_API void inferometer_emulation_set_seed(uint64_t seed);
CUDA_EMULATION_API uint64_t inferometer_emulation_seed();
CUDA_EMULATION_API void inferometer_emulation_fail_call(const char* name, uint64_t nth, int error);
CUDA_EMULATION_API size_t inferometer_emulation_clear_failures();
CUDA_EMULATION_API void inferometer_emulation_lose_device(int device, int error);
/// A field of Live by its name; SIZE_MAX if there is none of that name.
CUDA_EMULATION_API size_t inferometer_emulation_live(const char* field);
CUDA_EMULATION_API uint64_t inferometer_emulation_calls(const char* name);
CUDA_EMULATION_API void inferometer_emulation_reset_calls();
/// Valid until the same thread asks again.
CUDA_EMULATION_API const char* inferometer_emulation_last_failure();

}  // extern "C"
