// Eigen as the CPU kernels use it: row-major matrices over memory that somebody else owns.
// Included only by the kernel headers (see cpu_kernels.h on instruction sets).
#pragma once

// One thread per batch: parallelism comes from batches, never from inside a product.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include "backend/operations.h"

namespace inferometer::INFEROMETER_CPU_NAMESPACE {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMatrix = Eigen::Map<const RowMajor>;
using Matrix = Eigen::Map<RowMajor>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;
using Array = Eigen::Map<Eigen::ArrayXf>;

/// Zero or more, NaN as it is (a maximum instruction may drop it).
static inline float relu_of(float value) { return value < 0.0F ? 0.0F : value; }

static inline void activate(Activation activation, int64_t elements, float* y) {
  if (activation == Activation::kNone) return;
  for (int64_t i = 0; i < elements; ++i) y[i] = relu_of(y[i]);
}

}  // namespace inferometer::INFEROMETER_CPU_NAMESPACE
