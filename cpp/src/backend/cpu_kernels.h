// The CPU kernels of one instruction set, as a table of functions.
//
// cpu_kernels_isa.cc is compiled once per x86-64 level. Templates and inline functions used there
// become weak symbols, of which the linker keeps one copy for the whole program: with Eigen under
// its own name all levels would silently run the same one (or raise SIGILL on an older processor).
// So every unit renames the namespace Eigen, puts its own functions into a namespace of its own,
// and uses no containers or inline functions of the standard library.
// tests/python/test_cpu_kernels_symbols.py looks for symbols in common.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/operations.h"

namespace inferometer {

/// One entry per operation of Backend, with the same contract. Const-safe.
struct CpuKernels {
  size_t (*conv2d_workspace_bytes)(const Conv2d& op);
  void (*conv2d)(const Conv2d& op, int64_t rows, const float* x, const float* weights,
                 const float* bias, const float* residual, float* y, float* workspace);
  void (*pool2d)(const Pool2d& op, int64_t rows, const float* x, float* y);
  size_t (*gemm_weights_bytes)(const Gemm& op);
  void (*load_gemm_weights)(const Gemm& op, const float* from, float* to);
  void (*gemm)(const Gemm& op, int64_t rows, const float* x, const float* w, const float* bias,
               float* y);
  void (*matmul)(const MatMul& op, int64_t rows, const float* a, const float* b, float* y);
  void (*add)(const BroadcastAdd& op, int64_t rows, const float* a, const float* b, float* y);
  void (*relu)(int64_t elements, const float* x, float* y);
  void (*softmax)(const Softmax& op, int64_t rows, const float* x, float* y);
  void (*reduce_mean)(const ReduceMean& op, int64_t rows, const float* x, float* y);
  void (*channel_affine)(const ChannelAffine& op, int64_t rows, const float* x, const float* scale,
                         const float* shift, float* y);
};

// One per compiled unit; cpu_isa.cc knows which exist and which this processor runs.
#if defined(__x86_64__)
extern const CpuKernels kCpuKernelsV2;
extern const CpuKernels kCpuKernelsV3;
extern const CpuKernels kCpuKernelsV4;
#else
extern const CpuKernels kCpuKernelsGeneric;
#endif

}  // namespace inferometer
