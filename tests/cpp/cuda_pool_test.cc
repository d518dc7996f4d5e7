#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaPoolTest : public CudaKernelsTest {
 protected:
  Pool2d any_pool(PoolKind kind, bool include_pad) {
    Pool2d op{};
    op.kind = kind;
    op.count_include_pad = include_pad;
    op.channels = pick(1, 4);
    const auto axis = [&](int64_t& in, int64_t& out, int64_t& kernel, int64_t& stride,
                          int64_t& dilation, int64_t& before, int64_t& after) {
      kernel = pick(1, 4);
      stride = pick(1, 3);
      dilation = pick(1, 3);
      // Some windows see nothing but padding.
      before = pick(0, 5);
      after = pick(0, 5);
      const int64_t covered = (kernel - 1) * dilation + 1;
      in = std::max<int64_t>(pick(1, 20), covered - before - after);
      const int64_t steps = in + before + after - covered;
      out = (steps + (pick(0, 1) == 0 ? 0 : stride - 1)) / stride + 1;  // ceil_mode
      // As ONNX has it: no window begins in the padding behind.
      if ((out - 1) * stride >= in + before) --out;
    };
    axis(op.in_h, op.out_h, op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom);
    axis(op.in_w, op.out_w, op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right);
    return op;
  }
};

TEST_F(CudaPoolTest, AnyShape) {
  for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    for (int i = 0; i < 200; ++i) {
      SCOPED_TRACE(i);
      const Pool2d op = any_pool(kind, i % 2 == 0);
      if (op.out_h == 0 || op.out_w == 0) continue;
      const int64_t rows = pick(1, 3);
      const DeviceFloats x = random(rows * op.channels * op.in_h * op.in_w);
      const DeviceFloats y = output(rows * op.channels * op.out_h * op.out_w);
      cuda::pool2d(op, rows, x.device(), y.device(), stream_);
      expect_near(reference::pool2d(op, rows, x.host()), y);
    }
  }
}

TEST_F(CudaPoolTest, PassesNaNAndInfinity) {
  for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    const Pool2d op{kind, 1, 1, 6, 1, 3, 1, 2, 1, 2, 1, 1, 0, 0, 0, 0, false};
    for (const auto& values : {std::vector<float>{kNaN, 1, 2, kNaN, -kInf, -kInf},
                               std::vector<float>{1, kNaN, kNaN, 2, kInf, 0}}) {
      const DeviceFloats x(values);
      const DeviceFloats y = output(3);
      cuda::pool2d(op, 1, x.device(), y.device(), stream_);
      expect_near(reference::pool2d(op, 1, values), y);
    }
  }
}

TEST_F(CudaPoolTest, OfNothingTheMaximumIsMinusInfinityAndTheAverageNaN) {
  // A window of one, before the plane.
  const Pool2d op{PoolKind::kMax, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, false};
  const DeviceFloats x({3});
  const DeviceFloats y = output(2);
  cuda::pool2d(op, 1, x.device(), y.device(), stream_);
  EXPECT_EQ(y.read(), (std::vector<float>{-kInf, 3}));
  Pool2d average = op;
  average.kind = PoolKind::kAverage;
  cuda::pool2d(average, 1, x.device(), y.device(), stream_);
  EXPECT_TRUE(std::isnan(y.read()[0]));
  average.count_include_pad = true;
  cuda::pool2d(average, 1, x.device(), y.device(), stream_);
  EXPECT_EQ(y.read(), (std::vector<float>{0, 3}));
}

}  // namespace
}  // namespace inferometer
