#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaReduceTest : public CudaKernelsTest {
 protected:
  void expect_mean(const ReduceMean& op, int64_t rows, const DeviceFloats& x, double scale) {
    const DeviceFloats y = output(rows * op.y_row_stride);
    cuda::reduce_mean(op, rows, x.device(), y.device(), stream_);
    expect_near(reference::reduce_mean(op, rows, x.host()), y, scale);
  }
};

TEST_F(CudaReduceTest, AnyAxes) {
  const ReduceMean cases[] = {
      {1, {6}, {20}, 1, {20}, {1}, 120, 6},                      // global average pooling
      {1, {20}, {1}, 1, {6}, {20}, 120, 20},                     // over channels
      {2, {2, 5}, {60, 1}, 1, {12}, {5}, 120, 10},               // in the middle
      {1, {12}, {5}, 2, {2, 5}, {60, 1}, 120, 12},               // around it
      {0, {}, {}, 1, {120}, {1}, 120, 1},                        // everything
      {1, {120}, {1}, 0, {}, {}, 120, 120},                      // nothing
      {3, {2, 3, 2}, {60, 20, 5}, 2, {2, 5}, {10, 1}, 120, 12},  // small outputs
      {2, {3, 5}, {20, 1}, 2, {2, 4}, {60, 5}, 120, 15},         // two axes, far apart
  };
  for (const ReduceMean& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    expect_mean(op, 3, random(3 * op.x_row_stride), 0.1);
  }
}

TEST_F(CudaReduceTest, ManyOutputsAndLongSums) {
  for (const int64_t outputs : {1, 5, 33, 100}) {
    for (const int64_t count : {1, 7, 256, 257}) {
      SCOPED_TRACE(testing::Message() << outputs << " of " << count);
      const int64_t row = outputs * count;
      expect_mean({1, {outputs}, {count}, 1, {count}, {1}, row, outputs}, 2, random(2 * row), 0.1);
      expect_mean({1, {outputs}, {1}, 1, {count}, {outputs}, row, outputs}, 2, random(2 * row),
                  0.1);
    }
  }
}

// Added up one after the other, floats would be off by a thousandth.
TEST_F(CudaReduceTest, AMillionTermsLoseNothing) {
  const int64_t count = 1000000;
  std::vector<float> values(static_cast<size_t>(count), 0.1F);
  values[0] = 1e4F;
  const DeviceFloats x(values);
  expect_mean({0, {}, {}, 1, {count}, {1}, count, 1}, 1, x, 0);
  expect_mean({1, {2}, {1}, 1, {count / 2}, {2}, count, 2}, 1, x, 0);
}

TEST_F(CudaReduceTest, PassesNaNAndInfinity) {
  for (const float value : {kNaN, kInf, -kInf}) {
    std::vector<float> values(3000, 1.0F);
    values[1500] = value;
    expect_mean({1, {3}, {1000}, 1, {1000}, {1}, 3000, 3}, 1, DeviceFloats(values), 1);
    expect_mean({1, {3}, {1}, 1, {1000}, {3}, 3000, 3}, 1, DeviceFloats(values), 1);
  }
  std::vector<float> both(3000, 1.0F);
  both[0] = kInf;
  both[2999] = -kInf;
  expect_mean({0, {}, {}, 1, {3000}, {1}, 3000, 1}, 1, DeviceFloats(both), 1);
}

}  // namespace
}  // namespace inferometer
