#include "telemetry/write/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace inferometer {
namespace {

std::string text_of(const Number& number) {
  char text[kMaxNumberChars];
  return {text, write_number(text, number)};
}

TEST(NumberTest, IntegersArePlainDecimals) {
  EXPECT_EQ(text_of(Number::of(int64_t{0})), "0");
  EXPECT_EQ(text_of(Number::of(int64_t{-5})), "-5");
  EXPECT_EQ(text_of(Number::of(int64_t{12'000'000'000'000'000})), "12000000000000000");
  EXPECT_EQ(text_of(Number::of(std::numeric_limits<int64_t>::min())), "-9223372036854775808");
}

TEST(NumberTest, PlainFloatsHaveNoExponent) {
  EXPECT_EQ(text_of(Number::of_plain(0)), "0.0");
  EXPECT_EQ(text_of(Number::of_plain(-1)), "-1.0");
  EXPECT_EQ(text_of(Number::of_plain(0.07)), "0.07");
  EXPECT_EQ(text_of(Number::of_plain(2e-5)), "0.00002");
  EXPECT_EQ(text_of(Number::of_plain(1e-10)), "0.0000000001");
  EXPECT_EQ(text_of(Number::of_plain(1e6)), "1000000.0");
  EXPECT_EQ(text_of(Number::of_plain(1234567.891)), "1234567.891");
  EXPECT_EQ(text_of(Number::of_plain(-1e20)), "-100000000000000000000.0");
  // As far as there is room; the longest text is that of 17 digits after many zeros.
  EXPECT_EQ(text_of(Number::of_plain(-1.2345678901234568e-10)), "-0.00000000012345678901234568");
  EXPECT_EQ(text_of(Number::of_plain(1e-11)), "1e-11");
  EXPECT_EQ(text_of(Number::of_plain(1e21)), "1e+21");
  EXPECT_EQ(text_of(Number::of_plain(std::numeric_limits<double>::infinity())), "+Inf");
  EXPECT_EQ(text_of(Number::of_plain(std::nan(""))), "NaN");
}

TEST(NumberTest, FloatsAreWrittenAsPrometheusClientDoes) {
  struct Case {
    double value;
    const char* text;
  };
  // Expected texts come from prometheus_client.utils.floatToGoString; test_registry.py compares
  // with the function itself.
  const Case cases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {10.0, "10.0"},
      {0.1 + 0.2, "0.30000000000000004"},
      {123.5, "123.5"},
      {100000.0, "100000.0"},
      {999999.0, "999999.0"},
      {999999.5, "999999.5"},
      {1000000.0, "1e+06"},
      {1234567.0, "1.234567e+06"},
      {12345678.25, "1.234567825e+07"},
      {1e15, "1e+15"},
      {1e16, "1e+16"},
      {1.5e16, "1.5e+16"},
      {1e100, "1e+100"},
      {1e23, "1e+23"},
      {0.0001, "0.0001"},
      {0.00025, "0.00025"},
      {0.00001, "1e-05"},
      {2.5e-05, "2.5e-05"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {-1.5, "-1.5"},
      {-1000000.0, "-1000000.0"},
      {-1234567890123456.0, "-1234567890123456.0"},
      {-1e16, "-1e+16"},
      {-2.5e-05, "-2.5e-05"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
      {-std::numeric_limits<double>::quiet_NaN(), "NaN"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(float_text(value), text);
}

TEST(NumberTest, FloatsReadBackExactly) {
  std::mt19937_64 random(7);  // NOLINT(bugprone-random-generator-seed): the same test each time
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = float_text(value);
    ASSERT_LE(text.size(), kMaxNumberChars);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
}

TEST(NumberTest, SecondsHaveAllTheirFraction) {
  const auto seconds = [](int64_t ns) {
    char text[kMaxNumberChars];
    return std::string(text, write_seconds(text, ns));
  };
  EXPECT_EQ(seconds(0), "0.0");
  EXPECT_EQ(seconds(1), "0.000000001");
  EXPECT_EQ(seconds(1'700'000'000'250'000'000), "1700000000.25");
  EXPECT_EQ(seconds(-1'500'000'000), "-1.5");
  EXPECT_EQ(seconds(std::numeric_limits<int64_t>::min()), "-9223372036.854775808");
}

}  // namespace
}  // namespace inferometer
