#include "telemetry/record/native_buckets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/non_finite.h"

namespace inferometer {
namespace {

constexpr double kMax = std::numeric_limits<double>::max();

// tests/python/test_native_buckets.py compares every bound of every schema with exact arithmetic.

TEST(NativeBucketsTest, BoundsAreUpperAndInclusive) {
  for (int schema = kMinNativeSchema; schema <= kMaxNativeSchema; ++schema) {
    EXPECT_EQ(native_bucket_index(1.0, schema), 0) << schema;
    EXPECT_EQ(native_bucket_index(std::nextafter(1.0, 2.0), schema), 1) << schema;
    EXPECT_EQ(native_bucket_index(std::nextafter(1.0, 0.0), schema), 0) << schema;
  }
  EXPECT_EQ(native_bucket_index(2.0, 3), 8);
  EXPECT_EQ(native_bucket_index(std::nextafter(2.0, 3.0), 3), 9);
  EXPECT_EQ(native_bucket_index(0.5, 3), -8);
  EXPECT_EQ(native_bucket_index(16.0, -2), 1);
  EXPECT_EQ(native_bucket_index(std::nextafter(16.0, 17.0), -2), 2);
  EXPECT_EQ(native_bucket_index(1.0 / 16, -2), -1);
  EXPECT_EQ(native_bucket_index(1.0 / 15, -2), 0);
}

TEST(NativeBucketsTest, InfinityIsAboveTheLargestNumber) {
  for (int schema = kMinNativeSchema; schema <= kMaxNativeSchema; ++schema) {
    EXPECT_EQ(native_bucket_index(kInfinity, schema), native_bucket_index(kMax, schema) + 1);
  }
  EXPECT_EQ(native_bucket_index(kMax, 0), 1024);
}

TEST(NativeBucketsTest, SubnormalNumbers) {
  EXPECT_EQ(native_bucket_index(std::numeric_limits<double>::denorm_min(), 3), -1074 * 8);
  EXPECT_EQ(native_bucket_index(std::numeric_limits<double>::denorm_min() * 2, 3), -1073 * 8);
  EXPECT_EQ(native_bucket_index(std::numeric_limits<double>::min(), 0), -1022);
}

TEST(NativeBucketsTest, ParentsHoldTheirChildren) {
  uint64_t state = 3;
  for (int round = 0; round < 100'000; ++round) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const double magnitude = std::exp2(static_cast<double>(state >> 40U) / 0x1p24 * 200 - 100);
    for (int schema = kMinNativeSchema + 1; schema <= kMaxNativeSchema; ++schema) {
      EXPECT_EQ(native_parent_index(native_bucket_index(magnitude, schema)),
                native_bucket_index(magnitude, schema - 1))
          << magnitude << " at schema " << schema;
    }
  }
}

}  // namespace
}  // namespace inferometer
