#include "telemetry/write/protobuf_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/write/protobuf_fields.h"

namespace inferometer {
namespace {

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

TEST(ProtobufFieldsTest, NumbersOfEverySize) {
  const auto varint = [](uint64_t value) {
    std::string out;
    protobuf::append_varint(out, value);
    return out;
  };
  EXPECT_EQ(varint(0), bytes_of("00"));
  EXPECT_EQ(varint(300), bytes_of("ac02"));
  EXPECT_EQ(varint(~uint64_t{0}), bytes_of("ffffffffffffffffff01"));
  EXPECT_EQ(protobuf::zigzag(0), 0U);
  EXPECT_EQ(protobuf::zigzag(-1), 1U);
  EXPECT_EQ(protobuf::zigzag(1), 2U);
  EXPECT_EQ(protobuf::zigzag(std::numeric_limits<int64_t>::min()), ~uint64_t{0});
}

// A native histogram with two spans, a unit and a start time, byte by byte.
TEST(ProtobufWriterTest, ANativeHistogramByteByByte) {
  ProtobufWriter writer;
  const std::array<std::pair<int32_t, uint64_t>, 5> positive = {
      {{-2, 3}, {-1, 5}, {2, 1}, {4, 3}, {5, 2}}};
  const NativeHistogramView native{3, 0x1p-128, 0, {}, positive};
  const std::array<double, 1> bounds = {std::numeric_limits<double>::infinity()};
  const std::array<std::string, 1> le = {"+Inf"};
  const std::array<uint64_t, 1> cumulative = {14};
  writer.family({"lat_seconds", "Latency.", MetricType::kHistogram, "seconds"});
  writer.histogram({"m=\"x\"", 0, 1'700'000'000'000'000'000},
                   {bounds, le, cumulative, Number::of(12.5), {}, &native});
  EXPECT_EQ(std::move(writer).bytes(),
            bytes_of("79"
                     "0a0b 6c61745f7365636f6e6473 1208 4c6174656e63792e 1804"
                     "2a07 7365636f6e6473"  // unit
                     "2255 0a06 0a016d 120178 3a4b"
                     "080e 11 0000000000002940"
                     "1a0b 080e 11 000000000000f07f"  // the +Inf bucket
                     "2806 31 000000000000f037 3800"
                     "6204 0803 1002 6204 0804 1001 6204 0802 1002"
                     "6806 6804 6807 6804 6801"
                     "7a08 0880e2cfaa06 1000"));
}

TEST(ProtobufWriterTest, AnEmptyNativeHistogramHasAnEmptySpan) {
  ProtobufWriter writer;
  const NativeHistogramView native{3, 0x1p-128, 0, {}, {}};
  const std::array<double, 1> bounds = {std::numeric_limits<double>::infinity()};
  const std::array<std::string, 1> le = {"+Inf"};
  const std::array<uint64_t, 1> cumulative = {0};
  writer.family({"h", "", MetricType::kHistogram});
  writer.histogram({}, {bounds, le, cumulative, Number::of(0.0), {}, &native});
  const std::string bytes = std::move(writer).bytes();
  EXPECT_NE(bytes.find(bytes_of("6204 0800 1000")), std::string::npos);
}

TEST(ProtobufWriterTest, FamiliesFollowEachOtherWithTheirLengths) {
  ProtobufWriter writer;
  writer.family({"c_total", "C", MetricType::kCounter});
  writer.scalar({{}, 0, 0}, Number::of(2.0), nullptr);
  writer.family({"g", "", MetricType::kGauge});
  writer.scalar({{}, 5, 9}, Number::of(int64_t{-1}), nullptr);
  writer.family({"u", "", MetricType::kUntyped});
  writer.scalar({}, Number::of(1.0), nullptr);
  EXPECT_EQ(std::move(writer).bytes(),
            bytes_of("1b 0a07 635f746f74616c 1201 43 1800 220b 1a09 09 0000000000000040"
                     "16 0a01 67 1200 1801 220d 1209 09 000000000000f0bf 3005"
                     "14 0a01 75 1200 1803 220b 2a09 09 000000000000f03f"));
}

TEST(ProtobufWriterTest, TimesBefore1970CountNanosForward) {
  ProtobufWriter writer;
  writer.family({"c_total", "", MetricType::kCounter});
  writer.scalar({{}, 0, -1}, Number::of(1.0), nullptr);
  // seconds: -1 as ten bytes; nanos: 999,999,999.
  EXPECT_NE(std::move(writer).bytes().find(bytes_of("08ffffffffffffffffff01 10ff93ebdc03")),
            std::string::npos);
}

}  // namespace
}  // namespace inferometer
