#include "telemetry/write/quality_list.h"

#include <gtest/gtest.h>

#include <string>

namespace inferometer {
namespace {

TEST(QualityListTest, BestFirstEqualsInOrder) {
  const auto list = parse_quality_list("a/b;q=0.2, c/d , e/f;q=1.0;v=3,g/h;q=0.9");
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].value, "c/d");
  EXPECT_EQ(list[1].value, "e/f");
  EXPECT_EQ(list[1].parameter("V"), "3");
  EXPECT_EQ(list[2].value, "g/h");
  EXPECT_EQ(list[3].value, "a/b");
  EXPECT_DOUBLE_EQ(list[3].quality, 0.2);
}

TEST(QualityListTest, QuotedParametersMayHoldSeparators) {
  const auto list = parse_quality_list(R"(text/plain; version="0.0;4, x"; Q=0.5 , b)");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].value, "b");
  EXPECT_EQ(list[1].parameter("version"), "0.0;4, x");
  EXPECT_DOUBLE_EQ(list[1].quality, 0.5);
  EXPECT_EQ(list[1].parameter("q"), "") << "q is no parameter of the type";
}

TEST(QualityListTest, AnythingThatIsNoNumberForbids) {
  for (const char* quality : {"", "x", "nan", "-1", "-0.5", "inf", "1e", "0.5x", "1e400"}) {
    const std::string header = std::string("a;q=") + quality;
    ASSERT_EQ(parse_quality_list(header).size(), 1U);
    EXPECT_EQ(parse_quality_list(header)[0].quality, 0) << quality;
  }
  EXPECT_EQ(parse_quality_list("a;q=7")[0].quality, 1);
}

TEST(QualityListTest, TakesAnyBytesAndIsBounded) {
  EXPECT_TRUE(parse_quality_list("").empty());
  EXPECT_TRUE(parse_quality_list(" , ,,\t").empty());
  EXPECT_EQ(parse_quality_list("\"unclosed;,q=1").size(), 1U);
  EXPECT_EQ(parse_quality_list("a;b=\"\\").size(), 1U);
  EXPECT_EQ(parse_quality_list(std::string(100'000, ',') + "a").size(), 1U);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a/b;x=1;x=1,";
  EXPECT_EQ(parse_quality_list(many).size(), 64U);
  uint64_t state = 7;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    const size_t length = state % 40;
    for (size_t i = 0; i < length; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      constexpr std::string_view kLikely = "aq=;,\" \\/*0.1\x80";
      bytes += kLikely[(state >> 33U) % kLikely.size()];
    }
    state = state * 6364136223846793005U + 1442695040888963407U;
    for (const Alternative& one : parse_quality_list(bytes)) {
      EXPECT_GE(one.quality, 0);
      EXPECT_LE(one.quality, 1);
      EXPECT_FALSE(one.value.empty() && one.parameters.empty() && one.quality == 1 &&
                   bytes.find(';') == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace inferometer
