// Matrix products of the emulation of CUDA.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "emulated_cublas.h"

namespace inferometer {
namespace {

using EmulationCublasTest = CublasTest;

std::vector<float> numbers(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 11) - 5.0F;
  return values;
}

/// Element (i, j) of op(matrix).
float element(const std::vector<float>& matrix, int leading, cublas::Operation op, int i, int j) {
  const int at = op == cublas::kAsIs ? j * leading + i : i * leading + j;
  return matrix[static_cast<size_t>(at)];
}

TEST_F(EmulationCublasTest, ProductsOfEveryKind) {
  constexpr int kM = 5;
  constexpr int kN = 6;
  constexpr int kK = 7;
  constexpr int kLeading = 9;
  const std::vector<float> a = numbers(81);
  const std::vector<float> b = numbers(90);
  const std::vector<float> before = numbers(60);
  const Array<float> device_a(a);
  const Array<float> device_b(b);
  for (const auto op_a : {cublas::kAsIs, cublas::kTransposed}) {
    for (const auto op_b : {cublas::kAsIs, cublas::kTransposed}) {
      const Array<float> device_c(before);
      const Product product = {.op_a = op_a,
                               .op_b = op_b,
                               .m = kM,
                               .n = kN,
                               .k = kK,
                               .alpha = 2.0F,
                               .a = device_a.data(),
                               .lda = kLeading,
                               .b = device_b.data(),
                               .ldb = kLeading,
                               .beta = -3.0F,
                               .c = device_c.data(),
                               .ldc = kLeading};
      ASSERT_EQ(multiply(product), cublas::kSuccess);
      const std::vector<float> c = device_c.values();
      for (int j = 0; j < kN; ++j) {
        for (int i = 0; i < kLeading; ++i) {
          const size_t at = size_t{kLeading} * static_cast<size_t>(j) + static_cast<size_t>(i);
          if (at >= c.size()) break;
          float wanted = before[at];
          if (i < kM) {
            float sum = 0.0F;
            for (int p = 0; p < kK; ++p) {
              sum += element(a, kLeading, op_a, i, p) * element(b, kLeading, op_b, p, j);
            }
            wanted = 2.0F * sum - 3.0F * wanted;
          }
          ASSERT_EQ(c[at], wanted) << i << ' ' << j;
        }
      }
    }
  }
}

TEST_F(EmulationCublasTest, WithoutBetaTheResultIsNotRead) {
  const Array<float> a({2.0F});
  const Array<float> c({NAN});
  const Product product = {.a = a.data(), .b = a.data(), .c = c.data()};
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  EXPECT_EQ(c.values(), std::vector<float>{4.0F});
  // Nor the factors where nothing comes of them.
  const Array<float> unknown({NAN});
  const Product scaled = {.k = 0, .beta = 0.5F, .c = c.data()};
  ASSERT_EQ(multiply(scaled), cublas::kSuccess);
  EXPECT_EQ(c.values(), std::vector<float>{2.0F});
  const Product nothing = {.alpha = 0.0F, .a = unknown.data(), .b = unknown.data(), .c = c.data()};
  ASSERT_EQ(multiply(nothing), cublas::kSuccess);
  EXPECT_EQ(c.values(), std::vector<float>{0.0F});
}

TEST_F(EmulationCublasTest, Batches) {
  const Array<float> a({1.0F, 2.0F, 3.0F});
  const Array<float> b({10.0F});
  const Array<float> c(std::vector<float>(6, -1.0F));
  const float one = 1.0F;
  const float zero = 0.0F;
  const auto batched = [&](long long stride_c) {
    return sgemm_batched(handle, cublas::kAsIs, cublas::kAsIs, 1, 1, 1, &one, a.data(), 1, 1,
                         b.data(), 1, 0, &zero, c.data(), 1, stride_c, 3);
  };
  ASSERT_EQ(batched(2), cublas::kSuccess);
  EXPECT_EQ(c.values(), (std::vector{10.0F, -1.0F, 20.0F, -1.0F, 30.0F, -1.0F}));
  EXPECT_EQ(batched(0), cublas::kInvalidValue);
  EXPECT_NE(emulation::last_failure().find("the results overlap"), std::string::npos);
}

TEST_F(EmulationCublasTest, WhatDoesNotFitIsRefused) {
  const Array<float> data(numbers(16));
  const Product fits = {.m = 2,
                        .n = 2,
                        .k = 2,
                        .a = data.data(),
                        .lda = 2,
                        .b = data.data(),
                        .ldb = 2,
                        .c = data.data(),
                        .ldc = 2};
  const auto refuses = [&](auto change) {
    Product product = fits;
    change(product);
    return multiply(product) == cublas::kInvalidValue;
  };
  EXPECT_TRUE(refuses([](Product& p) { p.lda = 1; }));
  EXPECT_TRUE(refuses([](Product& p) { p.ldb = 1; }));
  EXPECT_TRUE(refuses([](Product& p) { p.ldc = 1; }));
  EXPECT_TRUE(refuses([](Product& p) { p.m = -1; }));
  EXPECT_TRUE(refuses([](Product& p) { p.c = nullptr; }));
  EXPECT_TRUE(refuses([](Product& p) { p.a = nullptr; }));
  EXPECT_TRUE(refuses([](Product& p) { p.op_a = static_cast<cublas::Operation>(4); }));
  EXPECT_TRUE(refuses([](Product& p) {
    p.op_a = cublas::kTransposed;
    p.k = 3;
  }));
  EXPECT_FALSE(refuses([](Product& p) { p.m = 0; }));
}

TEST_F(EmulationCublasTest, RunsOnItsStreamWhenThatDoes) {
  const OwnStream stream;
  const Array<float> a({3.0F});
  const Array<float> c({0.0F});
  const Product product = {.a = a.data(), .b = a.data(), .c = c.data()};
  ASSERT_EQ(set_stream(handle, stream.get()), cublas::kSuccess);
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  EXPECT_EQ(emulation::live().queued_operations, 1U);
  stream.synchronize();
  EXPECT_EQ(c.values(), std::vector<float>{9.0F});
}

TEST_F(EmulationCublasTest, TheWorkspaceIsWrittenAndForgottenWithTheStream) {
  const OwnStream stream;
  const Array<float> a({3.0F});
  const Array<float> c({0.0F});
  const Array<float> workspace(numbers(8));
  const Product product = {.a = a.data(), .b = a.data(), .c = c.data()};
  EXPECT_EQ(set_workspace(handle, workspace.data() + 1, 4), cublas::kInvalidValue);
  EXPECT_EQ(set_workspace(handle, workspace.data(), workspace.bytes() + 1), cublas::kInvalidValue);
  ASSERT_EQ(set_workspace(handle, workspace.data(), workspace.bytes()), cublas::kSuccess);
  ASSERT_EQ(set_stream(handle, stream.get()), cublas::kSuccess);
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  stream.synchronize();
  EXPECT_EQ(workspace.values(), numbers(8));
  ASSERT_EQ(set_workspace(handle, workspace.data(), workspace.bytes()), cublas::kSuccess);
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  stream.synchronize();
  EXPECT_TRUE(std::isnan(workspace.values()[7]));
}

TEST_F(EmulationCublasTest, Tf32HasTenBits) {
  const float value = 1.0F + 1.0F / 4096.0F;
  const Array<float> a({value});
  const Array<float> one({1.0F});
  const Array<float> c({0.0F});
  const Product product = {.a = a.data(), .b = one.data(), .c = c.data()};
  ASSERT_EQ(set_math_mode(handle, cublas::kTf32Math), cublas::kSuccess);
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  EXPECT_EQ(c.values(), std::vector<float>{1.0F});
  ASSERT_EQ(set_math_mode(handle, cublas::kDefaultMath), cublas::kSuccess);
  ASSERT_EQ(multiply(product), cublas::kSuccess);
  EXPECT_EQ(c.values(), std::vector<float>{value});
  EXPECT_EQ(set_math_mode(handle, static_cast<cublas::Math>(99)), cublas::kInvalidValue);
}

TEST_F(EmulationCublasTest, HandlesAndFailures) {
  EXPECT_EQ(emulation::live().cublas_handles, 1U);
  int version = 0;
  EXPECT_EQ(get_version(handle, &version), cublas::kSuccess);
  EXPECT_EQ(version / 10000, 13);
  emulation::fail_call("cublasSgemm_v2", 1, cublas::kNotSupported);
  EXPECT_EQ(multiply({}), cublas::kNotSupported);
  emulation::fail_call(emulation::kAnyCall, 1, cudaErrorMemoryAllocation);
  cublas::Handle other = nullptr;
  EXPECT_EQ(create(&other), cublas::kAllocFailed);
  EXPECT_EQ(destroy(handle), cublas::kSuccess);
  EXPECT_EQ(emulation::live().cublas_handles, 0U);
  EXPECT_EQ(destroy(handle), cublas::kNotInitialized);
  EXPECT_EQ(multiply({}), cublas::kNotInitialized);
  emulation::set_driver(false);
  EXPECT_EQ(create(&other), cublas::kNotInitialized);
  EXPECT_STREQ(status_string(cublas::kNotInitialized), "the library was not initialised");
  EXPECT_STREQ(status_string(static_cast<cublas::Status>(77)), "unknown status");
}

TEST_F(EmulationCublasTest, AHandleBelongsToItsDevice) {
  emulation::set_devices(2);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  const OwnStream stream;
  EXPECT_EQ(multiply({}), cublas::kExecutionFailed);
  EXPECT_NE(emulation::last_failure().find("a handle of another device"), std::string::npos);
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(set_stream(handle, stream.get()), cublas::kInvalidValue);
  ASSERT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(multiply({}), cublas::kNotInitialized);
}

TEST_F(EmulationCublasTest, MemoryThatIsNotOfTheDeviceIsSeen) {
  if (emulation::has_address_sanitizer())
    GTEST_SKIP() << "AddressSanitizer says so: see EmulationStreamMistakesTest";
  const Array<float> a({3.0F});
  float on_host = 0.0F;
  ASSERT_EQ(multiply({.a = a.data(), .b = a.data(), .c = &on_host}), cublas::kSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  EXPECT_NE(emulation::last_failure().find("c of a matrix product"), std::string::npos);
}

TEST_F(EmulationCublasTest, IsLostWithItsDevice) {
  const Array<float> a({3.0F});
  emulation::lose_device(0, cudaErrorIllegalAddress);
  ASSERT_EQ(multiply({.a = a.data(), .b = a.data(), .c = a.data()}), cublas::kSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
  EXPECT_EQ(multiply({}), cublas::kExecutionFailed);
  EXPECT_EQ(destroy(handle), cublas::kExecutionFailed);
  EXPECT_EQ(emulation::live().cublas_handles, 0U);
}

TEST_F(EmulationCublasTest, IsQuickEnough) {
  constexpr int kSize = 512;
  const Array<float> a(numbers(size_t{kSize} * kSize));
  const Array<float> c(numbers(size_t{kSize} * kSize));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(multiply({.m = kSize,
                      .n = kSize,
                      .k = kSize,
                      .a = a.data(),
                      .lda = kSize,
                      .b = a.data(),
                      .ldb = kSize,
                      .c = c.data(),
                      .ldc = kSize}),
            cublas::kSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  RecordProperty("seconds", std::to_string(seconds.count()));
  // A busy machine is given much more time than it needs; a product that takes as long is useless.
  EXPECT_LT(seconds.count(), 10.0);
}

}  // namespace
}  // namespace inferometer
