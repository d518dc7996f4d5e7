// CUDA's runtime as far as it is emulated (README.md): its types and host functions. Names, numbers
// and signatures are those of CUDA 13.
#pragma once

#include <cstddef>

// Names are NVIDIA's, and enumerations as wide as C makes them.
// NOLINTBEGIN(readability-identifier-naming,performance-enum-size)

#define CUDART_VERSION 13000
#define CUDA_EMULATION_API __attribute__((visibility("default")))

enum cudaError {
#define X(name, number, text) name = (number),
#include "cuda_error_list.h"
#undef X
};
using cudaError_t = cudaError;

struct CUstream_st;
struct CUevent_st;
using cudaStream_t = CUstream_st*;
using cudaEvent_t = CUevent_st*;

enum cudaMemcpyKind {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4,
};

enum cudaDeviceAttr {
  cudaDevAttrMaxThreadsPerBlock = 1,
  cudaDevAttrMaxGridDimX = 5,
  cudaDevAttrMaxSharedMemoryPerBlock = 8,
  cudaDevAttrWarpSize = 10,
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
};

inline constexpr unsigned cudaStreamDefault = 0;
inline constexpr unsigned cudaStreamNonBlocking = 1;
inline constexpr unsigned cudaEventDefault = 0;
inline constexpr unsigned cudaEventBlockingSync = 1;
inline constexpr unsigned cudaEventDisableTiming = 2;
inline constexpr unsigned cudaHostAllocDefault = 0;
inline constexpr unsigned cudaHostAllocPortable = 1;
inline constexpr unsigned cudaHostAllocMapped = 2;
inline constexpr unsigned cudaHostAllocWriteCombined = 4;
inline constexpr unsigned cudaHostRegisterDefault = 0;

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  // CUDA's converts from a number.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr dim3(unsigned x_size = 1, unsigned y_size = 1, unsigned z_size = 1)
      : x(x_size), y(y_size), z(z_size) {}
};

/// Some of the fields of CUDA's, in no particular order.
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  size_t totalConstMem;
  size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  int maxThreadsPerBlock;
  int maxThreadsPerMultiProcessor;
  int maxThreadsDim[3];
  int maxGridSize[3];
  int major;
  int minor;
  int multiProcessorCount;
  int l2CacheSize;
  int memoryBusWidth;
  int asyncEngineCount;
  int concurrentKernels;
  int integrated;
  int unifiedAddressing;
  int ECCEnabled;
  int pciDomainID;
  int pciBusID;
  int pciDeviceID;
};

extern "C" {

CUDA_EMULATION_API const char* cudaGetErrorName(cudaError_t error);
CUDA_EMULATION_API const char* cudaGetErrorString(cudaError_t error);
CUDA_EMULATION_API cudaError_t cudaGetLastError();
CUDA_EMULATION_API cudaError_t cudaPeekAtLastError();

CUDA_EMULATION_API cudaError_t cudaDriverGetVersion(int* version);
CUDA_EMULATION_API cudaError_t cudaRuntimeGetVersion(int* version);
CUDA_EMULATION_API cudaError_t cudaGetDeviceCount(int* count);
CUDA_EMULATION_API cudaError_t cudaSetDevice(int device);
CUDA_EMULATION_API cudaError_t cudaGetDevice(int* device);
CUDA_EMULATION_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
CUDA_EMULATION_API cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute,
                                                      int device);
CUDA_EMULATION_API cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device);
CUDA_EMULATION_API cudaError_t cudaDeviceSynchronize();
CUDA_EMULATION_API cudaError_t cudaDeviceReset();

CUDA_EMULATION_API cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes);
CUDA_EMULATION_API cudaError_t cudaMalloc(void** pointer, size_t bytes);
CUDA_EMULATION_API cudaError_t cudaFree(void* pointer);
CUDA_EMULATION_API cudaError_t cudaMallocHost(void** pointer, size_t bytes);
CUDA_EMULATION_API cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned flags);
CUDA_EMULATION_API cudaError_t cudaFreeHost(void* pointer);
CUDA_EMULATION_API cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned flags);
CUDA_EMULATION_API cudaError_t cudaHostUnregister(void* pointer);
CUDA_EMULATION_API cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes,
                                          cudaMemcpyKind kind);
CUDA_EMULATION_API cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                                               cudaMemcpyKind kind, cudaStream_t stream = nullptr);
CUDA_EMULATION_API cudaError_t cudaMemset(void* pointer, int value, size_t bytes);
CUDA_EMULATION_API cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes,
                                               cudaStream_t stream = nullptr);

CUDA_EMULATION_API cudaError_t cudaStreamCreate(cudaStream_t* stream);
CUDA_EMULATION_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
CUDA_EMULATION_API cudaError_t cudaStreamDestroy(cudaStream_t stream);
CUDA_EMULATION_API cudaError_t cudaStreamSynchronize(cudaStream_t stream);
CUDA_EMULATION_API cudaError_t cudaStreamQuery(cudaStream_t stream);
CUDA_EMULATION_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                                   unsigned flags = 0);

CUDA_EMULATION_API cudaError_t cudaEventCreate(cudaEvent_t* event);
CUDA_EMULATION_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
CUDA_EMULATION_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr);
CUDA_EMULATION_API cudaError_t cudaEventSynchronize(cudaEvent_t event);
CUDA_EMULATION_API cudaError_t cudaEventQuery(cudaEvent_t event);
CUDA_EMULATION_API cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start,
                                                    cudaEvent_t end);
CUDA_EMULATION_API cudaError_t cudaEventDestroy(cudaEvent_t event);

}  // extern "C"

// NOLINTEND(readability-identifier-naming,performance-enum-size)
