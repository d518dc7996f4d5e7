// Kernels of a source that nvcc could compile (emulation_kernels.cu), for emulation_source_test.cc.
#pragma once

#include <cuda_runtime_api.h>

namespace inferometer {

/// y[i] = softmax of each row of x; rows x columns floats of a device.
void queue_softmax(const float* x, float* y, unsigned rows, unsigned columns, cudaStream_t stream);

/// 1 for each thread that finds, before anybody has written it, no number in what its block shares;
/// else 0. blocks x 128 floats of a device.
void queue_leftovers(float* found, unsigned blocks, cudaStream_t stream);

}  // namespace inferometer
