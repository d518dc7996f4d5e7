#include "backend/cuda/cuda_error.h"

#include <gtest/gtest.h>

#include <string>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

TEST(CudaErrorTest, SaysNameTextAndWhatWasDone) {
  EXPECT_NO_THROW(cuda::check(cudaSuccess, "allocating 123 bytes"));
  try {
    cuda::check(cudaErrorMemoryAllocation, "allocating 123 bytes");
    FAIL() << "nothing was thrown";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.what(),
              std::string("cudaErrorMemoryAllocation: out of memory (allocating 123 bytes)"));
  }
}

TEST(CudaErrorTest, TheErrorIsNotFoundAgain) {
  EXPECT_NE(cudaFree(reinterpret_cast<void*>(64)), cudaSuccess);
  EXPECT_NE(cudaPeekAtLastError(), cudaSuccess);
  EXPECT_THROW(cuda::fail(cudaPeekAtLastError(), "freeing"), DeviceError);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST(CudaErrorTest, WhatCannotBeUsedHereIsUnavailable) {
  for (const cudaError_t status :
       {cudaErrorNoDevice, cudaErrorInsufficientDriver, cudaErrorDevicesUnavailable,
        cudaErrorNoKernelImageForDevice, cudaErrorSystemNotReady, cudaErrorSystemDriverMismatch,
        cudaErrorCompatNotSupportedOnDevice}) {
    try {
      cuda::fail(status, "looking for devices");
    } catch (const DeviceError& error) {
      EXPECT_EQ(error.fault(), DeviceFault::kUnavailable) << error.what();
    }
  }
}

TEST(CudaErrorTest, WhatIsLostForGood) {
  for (const cudaError_t status :
       {cudaErrorIllegalAddress, cudaErrorLaunchFailure, cudaErrorMisalignedAddress,
        cudaErrorHardwareStackError, cudaErrorIllegalInstruction, cudaErrorECCUncorrectable,
        cudaErrorLaunchTimeout, cudaErrorAssert, cudaErrorTensorMemoryLeak,
        cudaErrorContextIsDestroyed}) {
    EXPECT_TRUE(cuda::is_sticky(status)) << cudaGetErrorName(status);
  }
  for (const cudaError_t status :
       {cudaSuccess, cudaErrorMemoryAllocation, cudaErrorInvalidValue, cudaErrorNoDevice,
        cudaErrorInvalidConfiguration, cudaErrorNotReady}) {
    EXPECT_FALSE(cuda::is_sticky(status)) << cudaGetErrorName(status);
  }
}

}  // namespace
}  // namespace inferometer
