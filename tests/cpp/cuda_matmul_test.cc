#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaMatmulTest : public CudaKernelsTest {
 protected:
  void expect_product(const MatMul& op, int64_t rows) {
    const int64_t batches = reference::product(op.batch_rank, op.batch_dims);
    const DeviceFloats a = random(rows * batches * op.m * op.k);
    const DeviceFloats b = random(rows * batches * op.k * op.n);
    const DeviceFloats y = output(rows * batches * op.m * op.n);
    cuda::matmul(op, rows, a.device(), b.device(), y.device(), stream_);
    expect_near(reference::matmul(op, rows, a.host(), b.host()), y, 5);
  }
};

TEST_F(CudaMatmulTest, BatchesAndBroadcasting) {
  const MatMul cases[] = {
      {4, 5, 6, 0, {}, {}, {}, 20, 30},                      // two activations
      {4, 5, 6, 0, {}, {}, {}, 20, 0},                       // a constant on the right
      {4, 5, 6, 0, {}, {}, {}, 0, 30},                       // and on the left
      {1, 8, 3, 1, {7}, {8}, {24}, 56, 168},                 // a batch of vectors
      {3, 2, 4, 2, {2, 3}, {6, 0}, {0, 8}, 12, 24},          // broadcast both ways
      {17, 19, 23, 1, {2}, {17 * 19}, {0}, 2 * 17 * 19, 0},  // awkward sizes
      {2, 3, 2, 3, {2, 2, 3}, {36, 18, 6}, {0, 6, 0}, 72, 12},
  };
  for (const MatMul& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    expect_product(op, 3);
  }
}

// Tiles are 16 or 64 rows by 64 columns by 16.
TEST_F(CudaMatmulTest, SizesAroundThoseOfTiles) {
  for (const int64_t m : {1, 16, 17, 64, 65, 130}) {
    for (const int64_t k : {0, 1, 16, 33}) {
      for (const int64_t n : {1, 64, 65}) {
        SCOPED_TRACE(testing::Message() << m << " x " << k << " x " << n);
        expect_product({m, k, n, 0, {}, {}, {}, m * k, k * n}, 2);
      }
    }
  }
}

TEST_F(CudaMatmulTest, LongSums) {
  expect_product({3, 5000, 7, 0, {}, {}, {}, 15000, 35000}, 1);
  expect_product({20, 5000, 7, 0, {}, {}, {}, 100000, 35000}, 1);
}

TEST_F(CudaMatmulTest, NaNStaysInItsRowAndColumn) {
  std::vector<float> left(20 * 30, 1.0F);
  left[5 * 30 + 3] = kNaN;
  left[7 * 30 + 3] = kInf;
  const MatMul op{20, 30, 70, 0, {}, {}, {}, 600, 2100};
  const DeviceFloats a(left);
  const DeviceFloats b(std::vector<float>(30 * 70, 0.5F));
  const DeviceFloats y = output(20 * 70);
  cuda::matmul(op, 1, a.device(), b.device(), y.device(), stream_);
  expect_near(reference::matmul(op, 1, a.host(), b.host()), y);
}

}  // namespace
}  // namespace inferometer
