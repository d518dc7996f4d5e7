#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "inferometer/errors.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaElementwiseTest : public CudaKernelsTest {};

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu};

TEST_F(CudaElementwiseTest, BiasResidualAndActivationOfPlanes) {
  for (const Activation activation : kActivations) {
    for (const auto& [channels, inner] :
         {std::pair<int64_t, int64_t>{5, 1}, {1, 9}, {7, 49}, {3, 256}, {3, 257}, {300, 2}}) {
      for (const int variant : {0, 1, 2, 3}) {
        SCOPED_TRACE(testing::Message() << channels << " " << inner << " " << variant);
        const int64_t rows = 3;
        const DeviceFloats y = random(rows * channels * inner);
        const DeviceFloats bias = random((variant & 1) * channels);
        const DeviceFloats residual = random((variant >> 1) * rows * channels * inner);
        cuda::bias_residual_activation(rows, channels, inner, bias.device(), residual.device(),
                                       activation, y.device(), stream_);
        std::vector<float> expected = y.host();
        for (size_t i = 0; i < expected.size(); ++i) {
          double sum = expected[i];
          if (!bias.host().empty()) {
            sum += reference::at(bias.host(), static_cast<int64_t>(i) / inner % channels);
          }
          if (!residual.host().empty()) sum += residual.host()[i];
          expected[i] = static_cast<float>(reference::activated(activation, sum));
        }
        expect_near(expected, y);
      }
    }
  }
}

TEST_F(CudaElementwiseTest, BiasAndActivationOfRows) {
  for (const Activation activation : kActivations) {
    for (const auto& [m, n] :
         {std::pair<int64_t, int64_t>{1, 1}, {300, 1}, {1, 1000}, {64, 10}, {9, 255}, {2, 513}}) {
      for (const bool with_bias : {false, true}) {
        SCOPED_TRACE(testing::Message() << m << " " << n << " " << with_bias);
        const DeviceFloats y = random(m * n);
        const DeviceFloats bias = random(with_bias ? n : 0);
        cuda::bias_activation(m, n, bias.device(), activation, y.device(), stream_);
        std::vector<float> expected = y.host();
        for (size_t i = 0; i < expected.size(); ++i) {
          const double offset =
              with_bias ? reference::at(bias.host(), static_cast<int64_t>(i) % n) : 0;
          expected[i] = static_cast<float>(reference::activated(activation, expected[i] + offset));
        }
        expect_near(expected, y);
      }
    }
  }
}

TEST_F(CudaElementwiseTest, WhatChangesNothingIsNotLaunched) {
  const DeviceFloats y = random(12);
  emulation::reset_calls();
  cuda::bias_residual_activation(1, 3, 4, nullptr, nullptr, Activation::kNone, y.device(), stream_);
  cuda::bias_activation(3, 4, nullptr, Activation::kNone, y.device(), stream_);
  cuda::relu(0, nullptr, nullptr, stream_);
  EXPECT_EQ(emulation::calls("cudaLaunchKernel"), 0U);
  EXPECT_EQ(y.read(), y.host());
}

TEST_F(CudaElementwiseTest, BroadcastAdd) {
  const BroadcastAdd cases[] = {
      {1, {37}, {1}, {1}, 37, 37, 37, Activation::kNone},
      {1, {37}, {1}, {1}, 37, 0, 37, Activation::kRelu},                    // a constant
      {0, {}, {}, {}, 1, 0, 1, Activation::kNone},                          // a scalar row
      {1, {9}, {1}, {0}, 9, 1, 9, Activation::kNone},                       // one value a row
      {2, {3, 20}, {20, 1}, {1, 0}, 60, 0, 60, Activation::kRelu},          // per channel
      {2, {3, 20}, {20, 1}, {0, 1}, 60, 0, 60, Activation::kNone},          // per position
      {2, {3, 4}, {1, 0}, {0, 1}, 3, 4, 12, Activation::kNone},             // outer sum
      {3, {2, 3, 4}, {12, 4, 1}, {4, 0, 1}, 24, 8, 24, Activation::kNone},  // middle
      {4, {2, 3, 2, 5}, {0, 5, 0, 1}, {6, 0, 3, 0}, 15, 12, 60, Activation::kRelu},
      {2, {2, 300}, {300, 1}, {0, 1}, 600, 300, 600, Activation::kRelu}};
  for (const BroadcastAdd& op : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &op - cases);
    const DeviceFloats a = random(3 * 600);
    const DeviceFloats b = random(3 * 600);
    const DeviceFloats y = output(3 * op.y_row_stride);
    cuda::broadcast_add(op, 3, a.device(), b.device(), y.device(), stream_);
    expect_near(reference::add(op, 3, a.host(), b.host()), y);
  }
}

TEST_F(CudaElementwiseTest, ReluKeepsNaN) {
  const DeviceFloats x({-1, 0, -0.0F, 2, kNaN, kInf, -kInf, -3, 4, kNaN});
  const DeviceFloats y = output(10);
  cuda::relu(10, x.device(), y.device(), stream_);
  expect_near({0, 0, 0, 2, kNaN, kInf, 0, 0, 4, kNaN}, y);
  const DeviceFloats many = random(5000);
  const DeviceFloats out = output(5000);
  cuda::relu(5000, many.device(), out.device(), stream_);
  std::vector<float> expected = many.host();
  for (float& value : expected) value = value < 0 ? 0 : value;
  EXPECT_EQ(out.read(), expected);
}

TEST_F(CudaElementwiseTest, ActivationsKeepNaN) {
  const std::vector<float> values = {kNaN, -1, kInf, -kInf};
  const DeviceFloats zero({0, 0, 0, 0});
  const std::vector<float> expected = {kNaN, 0, kInf, 0};
  const DeviceFloats planes(values);
  cuda::bias_residual_activation(1, 4, 1, zero.device(), zero.device(), Activation::kRelu,
                                 planes.device(), stream_);
  expect_near(expected, planes);
  const DeviceFloats rows(values);
  cuda::bias_activation(1, 4, zero.device(), Activation::kRelu, rows.device(), stream_);
  expect_near(expected, rows);
  const DeviceFloats x(values);
  const DeviceFloats y = output(4);
  cuda::broadcast_add({1, {4}, {1}, {1}, 4, 4, 4, Activation::kRelu}, 1, x.device(), zero.device(),
                      y.device(), stream_);
  expect_near(expected, y);
}

TEST_F(CudaElementwiseTest, ChannelAffine) {
  for (const Activation activation : kActivations) {
    for (const auto& [channels, inner] :
         {std::pair<int64_t, int64_t>{5, 1}, {1, 9}, {7, 64}, {2, 300}}) {
      const ChannelAffine op{channels, inner, activation};
      const DeviceFloats x = random(3 * channels * inner);
      const DeviceFloats scale = random(channels);
      const DeviceFloats shift = random(channels);
      const DeviceFloats y = output(3 * channels * inner);
      cuda::channel_affine(op, 3, x.device(), scale.device(), shift.device(), y.device(), stream_);
      expect_near(reference::channel_affine(op, 3, x.host(), scale.host(), shift.host()), y);
    }
  }
}

// More lines than a grid may have blocks along y (65535): threads come round again.
TEST_F(CudaElementwiseTest, MoreLinesThanAGridHas) {
  const int64_t m = 66000;
  const int64_t n = 129;  // too many for two lines in a block
  const DeviceFloats y(std::vector<float>(static_cast<size_t>(m * n), 1.0F));
  const DeviceFloats bias(std::vector<float>(static_cast<size_t>(n), 2.0F));
  cuda::bias_activation(m, n, bias.device(), Activation::kNone, y.device(), stream_);
  EXPECT_EQ(y.read(), std::vector<float>(static_cast<size_t>(m * n), 3.0F));
}

TEST_F(CudaElementwiseTest, ALaunchThatFailsIsADeviceError) {
  const DeviceFloats x = random(4);
  emulation::fail_call("cudaLaunchKernel", 1, cudaErrorLaunchOutOfResources);
  try {
    cuda::relu(4, x.device(), x.device(), stream_);
    FAIL() << "nothing was thrown";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cudaErrorLaunchOutOfResources: "), std::string::npos);
    EXPECT_NE(std::string(error.what()).find(" (launching a kernel)"), std::string::npos);
  }
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

}  // namespace
}  // namespace inferometer
