// The CPU kernels for one instruction set. Compiled once per x86-64 level by CpuKernels.cmake with
//   -DINFEROMETER_ISA=v3 -DINFEROMETER_ISA_TABLE=kCpuKernelsV3 -DEigen=Eigen_v3 -march=x86-64-v3
// and only ever by that file. Read cpu_kernels.h before adding an include.
#include "backend/cpu_kernels.h"

#ifndef INFEROMETER_ISA
#error "INFEROMETER_ISA names the instruction set: see cpp/cmake/CpuKernels.cmake"
#endif

#define INFEROMETER_JOIN_(a, b) a##b
#define INFEROMETER_JOIN(a, b) INFEROMETER_JOIN_(a, b)
// Functions of the kernel headers live here, so that each unit has its own.
#define INFEROMETER_CPU_NAMESPACE INFEROMETER_JOIN(cpu_, INFEROMETER_ISA)

#include "backend/cpu_conv_kernels.h"
#include "backend/cpu_elementwise_kernels.h"
#include "backend/cpu_gemm_kernels.h"
#include "backend/cpu_pool_kernels.h"
#include "backend/cpu_reduce_kernels.h"

namespace inferometer {

namespace kernels = INFEROMETER_CPU_NAMESPACE;

extern const CpuKernels INFEROMETER_ISA_TABLE;
const CpuKernels INFEROMETER_ISA_TABLE = {
    .conv2d_workspace_bytes = kernels::conv2d_workspace_bytes,
    .conv2d = kernels::conv2d,
    .pool2d = kernels::pool2d,
    .gemm_weights_bytes = kernels::gemm_weights_bytes,
    .load_gemm_weights = kernels::load_gemm_weights,
    .gemm = kernels::gemm,
    .matmul = kernels::matmul,
    .add = kernels::add,
    .relu = kernels::relu,
    .softmax = kernels::softmax,
    .reduce_mean = kernels::reduce_mean,
    .channel_affine = kernels::channel_affine,
};

}  // namespace inferometer
