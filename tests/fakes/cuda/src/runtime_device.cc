// The runtime's functions about devices.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>

#include "call.h"

using inferometer::emulation::Call;
using inferometer::emulation::CallKind;
using inferometer::emulation::current_device;
using inferometer::emulation::Device;
using inferometer::emulation::runtime_call;

namespace {

constexpr int kMultiprocessors = 16;
constexpr int kSharedBytes = 48 << 10;
constexpr int kMaxThreads = 1024;

void describe(cudaDeviceProp& properties, int index, const Device& device) {
  properties = {};
  const std::string name = "Emulated GPU " + std::to_string(index);
  std::copy(name.begin(), name.end(), properties.name);
  properties.totalGlobalMem = device.memory.capacity();
  properties.totalConstMem = size_t{64} << 10;
  properties.sharedMemPerBlock = kSharedBytes;
  properties.regsPerBlock = 64 << 10;
  properties.warpSize = 32;
  properties.maxThreadsPerBlock = kMaxThreads;
  properties.maxThreadsPerMultiProcessor = 2048;
  properties.maxThreadsDim[0] = kMaxThreads;
  properties.maxThreadsDim[1] = kMaxThreads;
  properties.maxThreadsDim[2] = 64;
  properties.maxGridSize[0] = std::numeric_limits<int>::max();
  properties.maxGridSize[1] = 65535;
  properties.maxGridSize[2] = 65535;
  properties.major = device.major;
  properties.minor = device.minor;
  properties.multiProcessorCount = kMultiprocessors;
  properties.l2CacheSize = 4 << 20;
  properties.memoryBusWidth = 256;
  properties.asyncEngineCount = 2;
  properties.concurrentKernels = 1;
  properties.unifiedAddressing = 1;
  properties.pciBusID = index + 1;
}

}  // namespace

cudaError_t cudaDriverGetVersion(int* version) {
  return runtime_call("cudaDriverGetVersion", CallKind::kAnswer, [&](Call& call) {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = call.emulator().driver ? CUDART_VERSION : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return runtime_call("cudaRuntimeGetVersion", CallKind::kAnswer, [&](Call&) {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceCount(int* count) {
  return runtime_call("cudaGetDeviceCount", CallKind::kSurvey, [&](Call& call) {
    if (count == nullptr) return cudaErrorInvalidValue;
    *count = static_cast<int>(call.emulator().devices.size());
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return runtime_call("cudaSetDevice", CallKind::kSurvey, [&](Call& call) {
    if (!call.emulator().has_device(device)) return cudaErrorInvalidDevice;
    // Also of a lost one, which would otherwise never be reset.
    current_device() = device;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return runtime_call("cudaGetDevice", CallKind::kSurvey, [&](Call&) {
    if (device == nullptr) return cudaErrorInvalidValue;
    *device = current_device();
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return runtime_call("cudaGetDeviceProperties", CallKind::kSurvey, [&](Call& call) {
    if (properties == nullptr) return cudaErrorInvalidValue;
    if (!call.emulator().has_device(device)) return cudaErrorInvalidDevice;
    describe(*properties, device, call.emulator().device(device));
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return runtime_call("cudaDeviceGetAttribute", CallKind::kSurvey, [&](Call& call) {
    if (value == nullptr) return cudaErrorInvalidValue;
    if (!call.emulator().has_device(device)) return cudaErrorInvalidDevice;
    switch (attribute) {
      case cudaDevAttrMaxThreadsPerBlock:
        *value = kMaxThreads;
        return cudaSuccess;
      case cudaDevAttrMaxGridDimX:
        *value = std::numeric_limits<int>::max();
        return cudaSuccess;
      case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = kSharedBytes;
        return cudaSuccess;
      case cudaDevAttrWarpSize:
        *value = 32;
        return cudaSuccess;
      case cudaDevAttrMultiProcessorCount:
        *value = kMultiprocessors;
        return cudaSuccess;
      case cudaDevAttrComputeCapabilityMajor:
        *value = call.emulator().device(device).major;
        return cudaSuccess;
      case cudaDevAttrComputeCapabilityMinor:
        *value = call.emulator().device(device).minor;
        return cudaSuccess;
    }
    return cudaErrorInvalidValue;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return runtime_call("cudaDeviceGetPCIBusId", CallKind::kSurvey, [&](Call& call) {
    constexpr int kLength = 13;  // with the zero
    if (text == nullptr || length < kLength) return cudaErrorInvalidValue;
    if (!call.emulator().has_device(device)) return cudaErrorInvalidDevice;
    (void)std::snprintf(text, static_cast<size_t>(length), "0000:%02X:00.0",
                        static_cast<unsigned>(device + 1) & 0xFFU);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return runtime_call("cudaDeviceSynchronize", CallKind::kWait,
                      [](Call& call) { return call.emulator().run_all(current_device()); });
}

cudaError_t cudaDeviceReset() {
  return runtime_call("cudaDeviceReset", CallKind::kSurvey, [](Call& call) {
    if (!call.emulator().has_device(current_device())) return cudaErrorInvalidDevice;
    call.emulator().destroy_context(current_device());
    return cudaSuccess;
  });
}
