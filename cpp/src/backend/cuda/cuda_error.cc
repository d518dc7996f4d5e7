#include "backend/cuda/cuda_error.h"

#include <string>

#include "inferometer/errors.h"

namespace inferometer::cuda {
namespace {

DeviceFault fault_of(cudaError_t status) noexcept {
  if (is_sticky(status)) return DeviceFault::kLost;
  switch (status) {
    case cudaErrorMemoryAllocation:
      return DeviceFault::kOutOfMemory;
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    // Another process has it for itself alone; it is older than our code; the machine is not set
    // up.
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return DeviceFault::kUnavailable;
    default:
      return DeviceFault::kOther;
  }
}

}  // namespace

void fail(cudaError_t status, const char* what) {
  // A failed call is remembered, and the check of the next launch would find it.
  static_cast<void>(cudaGetLastError());
  throw DeviceError(
      std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status) + " (" + what + ")",
      fault_of(status));
}

// CUDA Runtime API, "Data types used by CUDA Runtime", enum cudaError: "This leaves the process in
// an inconsistent state and any further CUDA work will return the same error."
bool is_sticky(cudaError_t status) noexcept {
  switch (status) {
    case cudaErrorContained:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorExternalDevice:
    // "The device cannot be used again until cudaThreadExit() is called", which is no more.
    case cudaErrorAssert:
    // Not said there, but memory that was found to be broken ends the context (Xid 48 and 94 in
    // "GPU Debug Guidelines"), and so does a link.
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    // Somebody else in the process has reset the device, and what is ours is gone.
    case cudaErrorContextIsDestroyed:
    // The server of the Multi-Process Service took the context with it.
    case cudaErrorMpsClientTerminated:
      return true;
    default:
      return false;
  }
}

}  // namespace inferometer::cuda
