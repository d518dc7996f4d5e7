#include "backend/cuda/cublas_handle.h"

#include <cmath>
#include <vector>

#include "backend/cuda/cuda_context.h"
#include "emulated_cuda.h"

namespace inferometer {
namespace {

using cuda::Product;
using cuda::ProductBatch;

class CublasHandleTest : public EmulatedCuda {
 protected:
  static std::vector<float> numbers(size_t count, float first) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i % 7);
    return values;
  }
  /// y (m, n) = x (m, k) * w (k, n), w stored as (n, k) if transposed.
  static std::vector<float> product(const Product& p, const float* x, const float* w) {
    std::vector<float> y;
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        float sum = 0;
        for (int64_t k = 0; k < p.k; ++k) {
          sum += x[i * p.k + k] * (p.transpose_w ? w[j * p.k + k] : w[k * p.n + j]);
        }
        y.push_back(sum);
      }
    }
    return y;
  }
};

TEST_F(CublasHandleTest, MultipliesRowMajorMatrices) {
  const auto gpu = backend();
  const auto stream = gpu->make_stream();
  for (const bool transpose : {false, true}) {
    for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {3, 5, 4}, {1, 10, 6}, {16, 2, 9}}) {
      const Gemm op{.rows_per_row = 1,
                    .k = k,
                    .n = n,
                    .transpose_w = transpose,
                    .activation = Activation::kNone};
      const auto x = numbers(static_cast<size_t>(m * k), 1);
      const auto w = numbers(static_cast<size_t>(k * n), -2);
      const DeviceBuffer dx(gpu, x.size() * 4);
      const DeviceBuffer dw(gpu, gpu->gemm_weights_bytes(op));
      const DeviceBuffer dy(gpu, static_cast<size_t>(m * n) * 4);
      gpu->load(dx.data(), reinterpret_cast<const std::byte*>(x.data()), x.size() * 4);
      gpu->load_gemm_weights(op, w.data(), dw.data());
      stream->gemm(op, m, floats_of(dx), dw.data(), nullptr, floats_of(dy));
      std::vector<float> y(static_cast<size_t>(m * n));
      stream->copy_out(reinterpret_cast<std::byte*>(y.data()), dy.data(), y.size() * 4);
      stream->synchronize();
      EXPECT_EQ(y, product({m, n, k, transpose}, x.data(), w.data()))
          << m << " " << n << " " << k << (transpose ? " transposed" : "");
    }
  }
}

TEST_F(CublasHandleTest, AStatusIsAnErrorWithItsText) {
  const auto gpu = backend();
  emulation::fail_call("cublasCreate_v2", 1, cublas::kNotInitialized);
  EXPECT_TRUE(contains(said([&] { (void)gpu->make_stream(); }), "cublasCreate: "));
  emulation::fail_call("cublasCreate_v2", 1, cublas::kAllocFailed);
  EXPECT_EQ(fault_of([&] { (void)gpu->make_stream(); }), DeviceFault::kOutOfMemory);
  EXPECT_NE(gpu->make_stream(), nullptr);
}

TEST_F(CublasHandleTest, MatricesBeyondItsIntegersAreAnError) {
  const auto gpu = backend();
  const auto stream = gpu->make_stream();
  const DeviceBuffer some(gpu, 64);
  const Gemm op{.rows_per_row = 1,
                .k = int64_t{1} << 40,
                .n = 1,
                .transpose_w = false,
                .activation = Activation::kNone};
  EXPECT_TRUE(contains(
      said([&] { stream->gemm(op, 1, floats_of(some), some.data(), nullptr, floats_of(some)); }),
      "a matrix of 1099511627776"));
}

}  // namespace
}  // namespace inferometer
