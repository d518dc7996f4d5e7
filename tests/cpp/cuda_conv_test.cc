// Columns and the convolution without them, against plain loops.
#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaConvTest : public CudaKernelsTest {
 protected:
  /// Anything that is legal, up to a few dozen elements along each axis.
  Conv2d any_conv() {
    Conv2d op{};
    op.groups = pick(1, 4);
    op.in_channels = op.groups * pick(1, 3);
    op.out_channels = op.groups * pick(1, 3);
    const auto axis = [&](int64_t& in, int64_t& out, int64_t& kernel, int64_t& stride,
                          int64_t& dilation, int64_t& pad) {
      kernel = pick(1, 4);
      stride = pick(1, 3);
      dilation = pick(1, 3);
      pad = pick(0, 4);
      const int64_t covered = (kernel - 1) * dilation + 1;
      const int64_t pad_after = pick(0, 4);
      in = std::max<int64_t>(pick(1, 20), covered - pad - pad_after);
      out = (in + pad + pad_after - covered) / stride + 1;
    };
    axis(op.in_h, op.out_h, op.kernel_h, op.stride_h, op.dilation_h, op.pad_top);
    axis(op.in_w, op.out_w, op.kernel_w, op.stride_w, op.dilation_w, op.pad_left);
    op.activation = pick(0, 1) == 0 ? Activation::kNone : Activation::kRelu;
    return op;
  }

  /// What cuBLAS would do with the columns: weights times columns, group by group.
  static std::vector<float> product(const Conv2d& op, int64_t rows,
                                    const std::vector<float>& weights,
                                    const std::vector<float>& columns) {
    std::vector<float> y;
    const int64_t depth = cuda::im2col_depth(op);
    const int64_t pixels = cuda::im2col_pixels(op);
    const int64_t group_out = op.out_channels / op.groups;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t channel = 0; channel < op.out_channels; ++channel) {
        const int64_t matrix = row * op.groups + channel / group_out;
        for (int64_t pixel = 0; pixel < pixels; ++pixel) {
          double sum = 0;
          for (int64_t d = 0; d < depth; ++d) {
            sum += reference::at(weights, channel * depth + d) *
                   reference::at(columns, (matrix * depth + d) * pixels + pixel);
          }
          y.push_back(static_cast<float>(sum));
        }
      }
    }
    return y;
  }
};

TEST_F(CudaConvTest, WeightsTimesColumnsAreTheConvolution) {
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    Conv2d op = any_conv();
    op.activation = Activation::kNone;
    // A part of the rows, as a backend takes them that has little memory.
    const int64_t rows = pick(1, 4);
    const int64_t first = pick(0, rows - 1);
    const int64_t last = pick(first + 1, rows);
    const int64_t row_size = op.in_channels * op.in_h * op.in_w;
    const DeviceFloats x = random(rows * row_size);
    const DeviceFloats weights =
        random(op.out_channels * op.in_channels / op.groups * op.kernel_h * op.kernel_w);
    const DeviceFloats columns = output((last - first) * cuda::im2col_elements(op));
    cuda::im2col(op, first, last, x.device(), columns.device(), stream_);
    const std::vector<float> part(x.host().begin() + first * row_size,
                                  x.host().begin() + last * row_size);
    const DeviceFloats y(product(op, last - first, weights.host(), columns.read()));
    expect_near(reference::conv2d(op, last - first, part, weights.host(), {}, {}), y, 10);
  }
}

TEST_F(CudaConvTest, WhatIsItsOwnColumnsIsUnchanged) {
  const auto conv = [](int64_t kernel, int64_t stride, int64_t pad, int64_t out) {
    return Conv2d{6,      5,      5, 4, out, out, kernel, kernel,
                  stride, stride, 1, 1, pad, pad, 2,      Activation::kNone};
  };
  const Conv2d plain = conv(1, 1, 0, 5);
  EXPECT_TRUE(cuda::is_own_columns(plain));
  EXPECT_FALSE(cuda::is_own_columns(conv(3, 1, 1, 5)));
  EXPECT_FALSE(cuda::is_own_columns(conv(1, 2, 0, 3)));
  EXPECT_FALSE(cuda::is_own_columns(conv(1, 1, 1, 7)));
  EXPECT_FALSE(cuda::is_own_columns(conv(1, 1, 0, 6)));  // padded behind

  const DeviceFloats x = random(2 * 6 * 25);
  const DeviceFloats columns = output(2 * cuda::im2col_elements(plain));
  cuda::im2col(plain, 0, 2, x.device(), columns.device(), stream_);
  EXPECT_EQ(columns.read(), x.host());
}

TEST_F(CudaConvTest, DirectlyInAnyShape) {
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    const Conv2d op = any_conv();
    const int64_t rows = pick(1, 3);
    const DeviceFloats x = random(rows * op.in_channels * op.in_h * op.in_w);
    const DeviceFloats weights =
        random(op.out_channels * op.in_channels / op.groups * op.kernel_h * op.kernel_w);
    const DeviceFloats bias = random(pick(0, 1) * op.out_channels);
    const int64_t out = rows * op.out_channels * op.out_h * op.out_w;
    const DeviceFloats residual = random(pick(0, 1) * out);
    const DeviceFloats y = output(out);
    cuda::direct_conv2d(op, rows, x.device(), weights.device(), bias.device(), residual.device(),
                        y.device(), stream_);
    expect_near(reference::conv2d(op, rows, x.host(), weights.host(), bias.host(), residual.host()),
                y, 10);
  }
}

TEST_F(CudaConvTest, DirectlyPassesNaNToTheOutputsThatSeeIt) {
  const Conv2d op{4, 6, 6, 4, 6, 6, 3, 3, 1, 1, 1, 1, 1, 1, 4, Activation::kRelu};
  std::vector<float> values(2 * 4 * 36, 1.0F);
  values[0] = kNaN;
  values[100] = -kInf;
  const DeviceFloats x(values);
  const DeviceFloats weights = random(4 * 9);
  const DeviceFloats y = output(2 * 4 * 36);
  cuda::direct_conv2d(op, 2, x.device(), weights.device(), nullptr, nullptr, y.device(), stream_);
  expect_near(reference::conv2d(op, 2, x.host(), weights.host(), {}, {}), y);
}

TEST_F(CudaConvTest, GroupsOfFewChannelsNeedNoColumns) {
  const auto conv = [](int64_t in, int64_t out, int64_t groups) {
    return Conv2d{in, 8, 8, out, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, groups, Activation::kNone};
  };
  EXPECT_TRUE(cuda::suits_direct_conv2d(conv(32, 32, 32)));
  EXPECT_TRUE(cuda::suits_direct_conv2d(conv(32, 64, 32)));
  EXPECT_FALSE(cuda::suits_direct_conv2d(conv(32, 32, 1)));
  EXPECT_FALSE(cuda::suits_direct_conv2d(conv(32, 4, 1)));
  EXPECT_FALSE(cuda::suits_direct_conv2d(conv(64, 64, 2)));
}

}  // namespace
}  // namespace inferometer
