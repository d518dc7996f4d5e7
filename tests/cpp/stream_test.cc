// Conformance: every operation of every backend against plain loops, for many shapes.
#include "backend/stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "backends_under_test.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class StreamTest : public BackendTest {};

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct ConvCase {
  int64_t channels_in, h, w, channels_out, kernel_h, kernel_w;
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int64_t groups = 1;
};

Conv2d conv_of(const ConvCase& c, Activation activation) {
  const auto out = [](int64_t in, int64_t pad, int64_t kernel, int64_t dilation, int64_t stride) {
    return (in + pad - (kernel - 1) * dilation - 1) / stride + 1;
  };
  return {.in_channels = c.channels_in,
          .in_h = c.h,
          .in_w = c.w,
          .out_channels = c.channels_out,
          .out_h = out(c.h, c.pad_top + c.pad_bottom, c.kernel_h, c.dilation_h, c.stride_h),
          .out_w = out(c.w, c.pad_left + c.pad_right, c.kernel_w, c.dilation_w, c.stride_w),
          .kernel_h = c.kernel_h,
          .kernel_w = c.kernel_w,
          .stride_h = c.stride_h,
          .stride_w = c.stride_w,
          .dilation_h = c.dilation_h,
          .dilation_w = c.dilation_w,
          .pad_top = c.pad_top,
          .pad_left = c.pad_left,
          .groups = c.groups,
          .activation = activation};
}

TEST_P(StreamTest, Conv2d) {
  const ConvCase cases[] = {
      {1, 1, 1, 1, 1, 1},
      {1, 8, 8, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
      {3, 4, 8, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
      {17, 4, 4, 19, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
      {16, 8, 8, 24, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1},
      {5, 7, 14, 13, 2, 3, 1, 2},
      {8, 16, 16, 8, 1, 1},
      {8, 3, 5, 9, 1, 1},
      {8, 8, 8, 9, 1, 1, 2, 2},
      {4, 9, 11, 6, 3, 3, 1, 1, 2, 3, 2, 3, 2, 3},
      {4, 9, 11, 6, 3, 3, 2, 1, 1, 1, 2, 0, 0, 1},
      {6, 9, 7, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3},
      {7, 6, 6, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 7},
      {4, 1, 30, 3, 1, 5, 1, 2, 1, 1, 0, 2, 0, 2},
      {2, 5, 5, 3, 3, 3, 3, 3, 1, 1, 4, 4, 4, 4},
      {3, 40, 112, 4, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3},
      {64, 3, 3, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
  };
  for (const ConvCase& c : cases) {
    for (const int64_t rows : {1, 2, 5, 9}) {
      for (const int variant : {0, 1, 2, 3}) {
        const Conv2d op = conv_of(c, variant >= 2 ? Activation::kRelu : Activation::kNone);
        SCOPED_TRACE(testing::Message()
                     << "case " << &c - cases << ", " << rows << " rows, variant " << variant);
        const int64_t out = rows * op.out_channels * op.out_h * op.out_w;
        const Memory x = random(rows * op.in_channels * op.in_h * op.in_w);
        const Memory weights =
            random(op.out_channels * op.in_channels / op.groups * op.kernel_h * op.kernel_w);
        const Memory bias = variant % 2 == 1 ? random(op.out_channels) : of({});
        const Memory residual = variant == 3 ? random(out) : of({});
        const Memory y = output(static_cast<size_t>(out));
        const DeviceBuffer workspace(backend_, backend_->conv2d_workspace_bytes(op, rows));
        stream_->conv2d(op, rows, x.device(), weights.device(), bias.device(), residual.device(),
                        y.device(), workspace.data());
        expect_near(
            reference::conv2d(op, rows, x.host(), weights.host(), bias.host(), residual.host()), y,
            10);
      }
    }
  }
}

TEST_P(StreamTest, Conv2dPassesNaNToTheRowsThatHaveIt) {
  const Conv2d op = conv_of({2, 4, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, Activation::kRelu);
  std::vector<float> values(2 * 2 * 16, 1.0F);
  values[0] = kNaN;  // row 0, and not row 1
  const Memory x = of(values);
  const Memory weights = random(3 * 2 * 9);
  const Memory y = output(2 * 3 * 16);
  const DeviceBuffer workspace(backend_, backend_->conv2d_workspace_bytes(op, 2));
  stream_->conv2d(op, 2, x.device(), weights.device(), nullptr, nullptr, y.device(),
                  workspace.data());
  expect_near(reference::conv2d(op, 2, x.host(), weights.host(), {}, {}), y);
}

TEST_P(StreamTest, Pool2d) {
  for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    for (const bool include_pad : {false, true}) {
      const Pool2d cases[] = {
          {kind, 3, 8, 8, 4, 4, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, include_pad},
          {kind, 2, 7, 9, 7, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, include_pad},
          {kind, 1, 1, 10, 1, 4, 1, 3, 1, 3, 1, 1, 0, 1, 0, 1, include_pad},
          {kind, 2, 6, 6, 4, 3, 3, 3, 2, 2, 1, 1, 1, 0, 1, 1, include_pad},  // ceil_mode
          {kind, 2, 9, 9, 3, 3, 3, 3, 2, 2, 2, 2, 0, 0, 0, 0, include_pad},
          {kind, 1, 5, 5, 5, 5, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, include_pad},
          {kind, 1, 4, 4, 1, 1, 4, 4, 1, 1, 1, 1, 0, 0, 0, 0, include_pad},
      };
      for (const Pool2d& op : cases) {
        SCOPED_TRACE(testing::Message() << "case " << &op - cases);
        const Memory x = random(3 * op.channels * op.in_h * op.in_w);
        const Memory y = output(static_cast<size_t>(3 * op.channels * op.out_h * op.out_w));
        stream_->pool2d(op, 3, x.device(), y.device());
        expect_near(reference::pool2d(op, 3, x.host()), y);
      }
    }
  }
}

TEST_P(StreamTest, PoolsPassNaNAndInfinity) {
  for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
    const Pool2d op{kind, 1, 1, 6, 1, 3, 1, 2, 1, 2, 1, 1, 0, 0, 0, 0, false};
    for (const auto& values : {std::vector<float>{kNaN, 1, 2, kNaN, -kInf, -kInf},
                               std::vector<float>{1, kNaN, kNaN, 2, kInf, 0}}) {
      const Memory x = of(values);
      const Memory y = output(3);
      stream_->pool2d(op, 1, x.device(), y.device());
      const std::vector<float> got = y.read();
      EXPECT_TRUE(std::isnan(got[0]) && std::isnan(got[1])) << got[0] << " " << got[1];
      EXPECT_EQ(got[2], values[4]);
    }
  }
}

TEST_P(StreamTest, Gemm) {
  const int64_t sizes[][2] = {{1, 1}, {3, 5}, {64, 10}, {17, 33}, {128, 64}, {300, 129}};
  for (const auto& [k, n] : sizes) {
    for (const int64_t rows : {1, 2, 7, 64}) {
      for (const int variant : {0, 1, 2, 3}) {
        const Gemm op{.rows_per_row = variant == 3 ? 3 : 1,
                      .k = k,
                      .n = n,
                      .transpose_w = variant % 2 == 1,
                      .activation = variant >= 2 ? Activation::kRelu : Activation::kNone};
        SCOPED_TRACE(testing::Message() << rows << "x" << k << "x" << n << ", variant " << variant);
        const Memory x = random(rows * op.rows_per_row * k);
        const Memory w = random(k * n);
        const Memory bias = variant > 0 ? random(n) : of({});
        const Memory y = output(static_cast<size_t>(rows * op.rows_per_row * n));
        const DeviceBuffer weights(backend_, backend_->gemm_weights_bytes(op));
        backend_->load_gemm_weights(op, w.host().data(), weights.data());
        stream_->gemm(op, rows, x.device(), weights.data(), bias.device(), y.device());
        expect_near(reference::gemm(op, rows, x.host(), w.host(), bias.host()), y, 10);
      }
    }
  }
}

TEST_P(StreamTest, MatMul) {
  const MatMul cases[] = {
      {4, 5, 6, 0, {}, {}, {}, 20, 30},                     // two activations
      {4, 5, 6, 0, {}, {}, {}, 20, 0},                      // a constant on the right
      {4, 5, 6, 0, {}, {}, {}, 0, 30},                      // and on the left
      {1, 8, 3, 1, {7}, {8}, {24}, 56, 168},                // a batch of vectors
      {3, 2, 4, 2, {2, 3}, {6, 0}, {0, 8}, 12, 24},         // broadcast both ways
      {17, 19, 23, 1, {2}, {17 * 19}, {0}, 2 * 17 * 19, 0}  // awkward sizes
  };
  for (const MatMul& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    const int64_t batches = reference::product(op.batch_rank, op.batch_dims);
    const Memory a = random(3 * batches * op.m * op.k);
    const Memory b = random(3 * batches * op.k * op.n);
    const Memory y = output(static_cast<size_t>(3 * batches * op.m * op.n));
    stream_->matmul(op, 3, a.device(), b.device(), y.device());
    expect_near(reference::matmul(op, 3, a.host(), b.host()), y, 5);
  }
}

TEST_P(StreamTest, Add) {
  const BroadcastAdd cases[] = {
      {1, {37}, {1}, {1}, 37, 37, 37, Activation::kNone},
      {1, {37}, {1}, {1}, 37, 0, 37, Activation::kRelu},                    // a constant
      {0, {}, {}, {}, 1, 0, 1, Activation::kNone},                          // a scalar row
      {1, {9}, {1}, {0}, 9, 1, 9, Activation::kNone},                       // one value a row
      {2, {3, 20}, {20, 1}, {1, 0}, 60, 0, 60, Activation::kRelu},          // per channel
      {2, {3, 20}, {20, 1}, {0, 1}, 60, 0, 60, Activation::kNone},          // per position
      {2, {3, 4}, {1, 0}, {0, 1}, 3, 4, 12, Activation::kNone},             // outer sum
      {3, {2, 3, 4}, {12, 4, 1}, {4, 0, 1}, 24, 8, 24, Activation::kNone},  // middle
      {4, {2, 3, 2, 5}, {0, 5, 0, 1}, {6, 0, 3, 0}, 15, 12, 60, Activation::kRelu}};
  for (const BroadcastAdd& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    const Memory a = random(3 * 60);
    const Memory b = random(3 * 60);
    const Memory y = output(static_cast<size_t>(3 * op.y_row_stride));
    stream_->add(op, 3, a.device(), b.device(), y.device());
    expect_near(reference::add(op, 3, a.host(), b.host()), y);
  }
}

TEST_P(StreamTest, ReluKeepsNaN) {
  const Memory x = of({-1, 0, -0.0F, 2, kNaN, kInf, -kInf, -3, 4, kNaN, 6, -7, 8, -9, 1, 2, kNaN});
  const Memory y = output(x.host().size());
  stream_->relu(static_cast<int64_t>(x.host().size()), x.device(), y.device());
  const std::vector<float> got = y.read();
  for (size_t i = 0; i < got.size(); ++i) {
    const float in = x.host()[i];
    if (std::isnan(in)) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else {
      EXPECT_EQ(got[i], in > 0 ? in : 0.0F) << i;
    }
  }
}

TEST_P(StreamTest, Softmax) {
  for (const Softmax op : {Softmax{1, 10, 1}, Softmax{1, 1, 1}, Softmax{3, 40, 1}, Softmax{2, 5, 7},
                           Softmax{1, 1000, 1}, Softmax{1, 3, 33}}) {
    SCOPED_TRACE(testing::Message() << op.outer << " " << op.length << " " << op.inner);
    const Memory x = random(4 * op.outer * op.length * op.inner);
    const Memory y = output(x.host().size());
    stream_->softmax(op, 4, x.device(), y.device());
    expect_near(reference::softmax(op, 4, x.host()), y, 0.1);
  }
}

TEST_P(StreamTest, SoftmaxStaysFiniteAndPassesNaNToItsOwnRow) {
  const Memory x = of({1000, 999, -1000, kNaN, 1, 2, 5, 5, 5});
  const Memory y = output(9);
  stream_->softmax({1, 3, 1}, 3, x.device(), y.device());
  const std::vector<float> got = y.read();
  EXPECT_NEAR(got[0], 0.731059F, 1e-5);
  EXPECT_NEAR(got[1], 0.268941F, 1e-5);
  EXPECT_NEAR(got[2], 0, 1e-30);
  for (const size_t i : {3U, 4U, 5U}) EXPECT_TRUE(std::isnan(got[i])) << i << ": " << got[i];
  for (const size_t i : {6U, 7U, 8U}) EXPECT_NEAR(got[i], 1.0F / 3, 1e-6);
}

TEST_P(StreamTest, SoftmaxOfNaNIsNaNWhereverItStands) {
  for (const int64_t inner : {1, 5}) {
    for (int64_t position = 0; position < 40; ++position) {
      const Softmax op{1, 40, inner};
      std::vector<float> values(static_cast<size_t>(40 * inner), 1.0F);
      values[static_cast<size_t>(position * inner)] = kNaN;
      const Memory x = of(values);
      const Memory y = output(values.size());
      stream_->softmax(op, 1, x.device(), y.device());
      const std::vector<float> got = y.read();
      for (size_t i = 0; i < got.size(); ++i) {
        const bool same = i % static_cast<size_t>(inner) == 0;
        ASSERT_EQ(std::isnan(got[i]), same) << "NaN at " << position << ", element " << i;
      }
    }
  }
}

TEST_P(StreamTest, ReduceMean) {
  const ReduceMean cases[] = {
      {1, {6}, {20}, 1, {20}, {1}, 120, 6},         // global average pooling
      {1, {20}, {1}, 1, {6}, {20}, 120, 20},        // over channels
      {2, {2, 5}, {60, 1}, 1, {12}, {5}, 120, 10},  // in the middle
      {1, {12}, {5}, 2, {2, 5}, {60, 1}, 120, 12},  // around it
      {0, {}, {}, 1, {120}, {1}, 120, 1},           // everything
  };
  for (const ReduceMean& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    const Memory x = random(3 * op.x_row_stride);
    const Memory y = output(static_cast<size_t>(3 * op.y_row_stride));
    stream_->reduce_mean(op, 3, x.device(), y.device());
    expect_near(reference::reduce_mean(op, 3, x.host()), y, 0.1);
  }
}

TEST_P(StreamTest, ChannelAffine) {
  for (const Activation activation : {Activation::kNone, Activation::kRelu}) {
    for (const auto& [channels, inner] : {std::pair<int64_t, int64_t>{5, 1}, {1, 9}, {7, 64}}) {
      const ChannelAffine op{channels, inner, activation};
      const Memory x = random(3 * channels * inner);
      const Memory scale = random(channels);
      const Memory shift = random(channels);
      const Memory y = output(x.host().size());
      stream_->channel_affine(op, 3, x.device(), scale.device(), shift.device(), y.device());
      expect_near(reference::channel_affine(op, 3, x.host(), scale.host(), shift.host()), y);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, StreamTest, testing::ValuesIn(backends_under_test()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace inferometer
