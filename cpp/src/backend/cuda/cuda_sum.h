// Sums of many floats, in a thread and across threads. For .cu files.
#pragma once

#include <cuda_runtime.h>

#include "backend/cuda/cuda_index.h"

namespace inferometer::cuda {

/// A sum in twice the precision: what each addition rounds away is summed apart (Knuth's TwoSum;
/// Ogita, Rump, Oishi: Accurate Sum and Dot Product, 2005, algorithm 4.1). A thread may have
/// millions of terms, of which plain floats lose the last digits.
class CompensatedSum {
 public:
  __device__ void add(float term) {
    const float sum = sum_ + term;
    const float part = sum - sum_;
    rounded_away_ += (sum_ - (sum - part)) + (term - part);
    sum_ = sum;
  }
  /// Infinite or NaN if the plain sum is: what is then rounded away is no number.
  __device__ float value() const {
    const float corrected = sum_ + rounded_away_;
    return corrected == corrected ? corrected : sum_;
  }

 private:
  float sum_ = 0.0F, rounded_away_ = 0.0F;
};

struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// The greater; either if one is NaN.
struct Maximum {
  __device__ float operator()(float a, float b) const { return a >= b ? a : b; }
};

/// The threads that share a sum: `lanes` of them, a power of two, `stride` threads of the block
/// apart; this one is number `lane`.
struct Team {
  unsigned lane, lanes, stride;
};

/// Combines one value of each thread of a team as a tree; all get the result. Every thread of the
/// block must call it. `values` is shared memory, an element for each thread of the block.
template <typename Combine>
__device__ float combine_team(const Team& team, float value, float* values, Combine combine) {
  const unsigned self = threadIdx.y * blockDim.x + threadIdx.x;
  values[self] = value;
  __syncthreads();
  for (unsigned half = team.lanes / 2; half > 0; half /= 2) {
    if (team.lane < half) {
      values[self] = combine(values[self], values[self + half * team.stride]);
    }
    __syncthreads();
  }
  const float result = values[self - team.lane * team.stride];
  __syncthreads();  // all have read it before a next call writes
  return result;
}

}  // namespace inferometer::cuda
