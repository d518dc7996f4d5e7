#include "serving/padding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace inferometer {
namespace {

template <typename T>
TensorView view_of(const std::vector<T>& values, DType dtype, Shape shape) {
  return {dtype, shape, reinterpret_cast<const std::byte*>(values.data())};
}

// What one element is filled with.
template <typename T>
T filled(DType dtype, double value) {
  std::vector<T> to(1);
  copy_along(1, {dtype, Shape({1, 0}), nullptr},
             {dtype, Shape({1, 1}), reinterpret_cast<std::byte*>(to.data())}, value);
  return to[0];
}

TEST(PaddingTest, FillsBehindEachRow) {
  const std::vector<float> from{1, 2, 3, 4};
  std::vector<float> to(6, -1);
  copy_along(1, view_of(from, DType::kFloat32, {2, 2}),
             {DType::kFloat32, Shape({2, 3}), reinterpret_cast<std::byte*>(to.data())}, 9);
  EXPECT_EQ(to, (std::vector<float>{1, 2, 9, 3, 4, 9}));
}

TEST(PaddingTest, FillsAlongAnInnerAxis) {
  const std::vector<int16_t> from{1, 2, 3, 4};  // (1, 2, 1, 2)
  std::vector<int16_t> to(8, -1);
  copy_along(2, view_of(from, DType::kInt16, {1, 2, 1, 2}),
             {DType::kInt16, Shape({1, 2, 2, 2}), reinterpret_cast<std::byte*>(to.data())}, 0);
  EXPECT_EQ(to, (std::vector<int16_t>{1, 2, 0, 0, 3, 4, 0, 0}));
}

TEST(PaddingTest, CutsWhereThereIsLessRoom) {
  const std::vector<float> from{1, 2, 3, 4, 5, 6};
  std::vector<float> to(4);
  copy_along(1, view_of(from, DType::kFloat32, {2, 3}),
             {DType::kFloat32, Shape({2, 2}), reinterpret_cast<std::byte*>(to.data())}, 0);
  EXPECT_EQ(to, (std::vector<float>{1, 2, 4, 5}));
}

TEST(PaddingTest, TheValueIsConverted) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(filled<uint8_t>(DType::kBool, 0.5), 1);
  EXPECT_EQ(filled<uint8_t>(DType::kUint8, 300), 255);
  EXPECT_EQ(filled<uint8_t>(DType::kUint8, -1), 0);
  EXPECT_EQ(filled<uint16_t>(DType::kUint16, 65535), 65535);
  EXPECT_EQ(filled<uint32_t>(DType::kUint32, 4294967295.0), 4294967295U);
  EXPECT_EQ(filled<uint64_t>(DType::kUint64, 1e30), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(filled<int8_t>(DType::kInt8, -100), -100);
  EXPECT_EQ(filled<int16_t>(DType::kInt16, 2.5), 2);  // to even
  EXPECT_EQ(filled<int32_t>(DType::kInt32, std::nan("")), 0);
  EXPECT_EQ(filled<int64_t>(DType::kInt64, -kInfinity), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(filled<int64_t>(DType::kInt64, kInfinity), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(filled<float>(DType::kFloat32, 0.1), 0.1F);
  EXPECT_EQ(filled<double>(DType::kFloat64, -kInfinity), -kInfinity);
}

TEST(PaddingTest, HalvesAreRoundedToNearestEven) {
  // The bits that numpy.float16 gives.
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 0.0), 0x0000);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, -0.0), 0x8000);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 1.0), 0x3c00);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, -2.5), 0xc100);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 0.1), 0x2e66);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 2047.5), 0x6800);  // carries into the exponent
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 65504.0), 0x7bff);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 65519.0), 0x7bff);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 65520.0), 0x7c00);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 6e-8), 0x0001);  // subnormal
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, 6.1e-5), 0x03ff);
  EXPECT_EQ(filled<uint16_t>(DType::kFloat16, std::nan("")), 0x7e00);
}

}  // namespace
}  // namespace inferometer
