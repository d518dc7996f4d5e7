// What CUDA source may use on the host emulation (README.md): the runtime's functions, the words of
// the language, the position of a thread, and the functions of the device that <cmath> lacks.
#pragma once

#include <math.h>
#include <string.h>

#include "cuda_device_words.h"
#include "cuda_runtime_api.h"

// NOLINTBEGIN(readability-identifier-naming)

template <typename T>
cudaError_t cudaMalloc(T** pointer, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(pointer), bytes);
}
template <typename T>
cudaError_t cudaMallocHost(T** pointer, size_t bytes) {
  return cudaMallocHost(reinterpret_cast<void**>(pointer), bytes);
}
template <typename T>
cudaError_t cudaHostAlloc(T** pointer, size_t bytes, unsigned flags) {
  return cudaHostAlloc(reinterpret_cast<void**>(pointer), bytes, flags);
}

// NOLINTEND(readability-identifier-naming)
