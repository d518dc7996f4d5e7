#include "telemetry/record/names.h"

#include <gtest/gtest.h>

namespace inferometer {
namespace {

TEST(NamesTest, MetricNames) {
  for (const char* name : {"a", "_", ":", "a1", "http_requests_total", "job:rate5m"}) {
    EXPECT_TRUE(is_metric_name(name)) << name;
  }
  for (const char* name : {"", "1a", "a-b", "a b", "a.b", "\xc3\xa9"}) {
    EXPECT_FALSE(is_metric_name(name)) << name;
  }
}

TEST(NamesTest, LabelNames) {
  for (const char* name : {"a", "_x", "A1"}) EXPECT_TRUE(is_label_name(name)) << name;
  for (const char* name : {"", "1a", "a:b", "a-b"}) EXPECT_FALSE(is_label_name(name)) << name;
}

TEST(NamesTest, Utf8) {
  using namespace std::string_view_literals;  // NOLINT(google-build-using-namespace)
  for (const auto text : {""sv, "plain"sv, "\0"sv, "\xc3\xa9"sv, "\xe2\x82\xac"sv, "\xed\x9f\xbf"sv,
                          "\xf0\x9f\x98\x80"sv, "\xf4\x8f\xbf\xbf"sv}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  // A lone continuation, a truncated sequence, overlong forms, a surrogate, beyond U+10FFFF.
  for (const auto text :
       {"\x80"sv, "a\xc3"sv, "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xf0\x80\x80\xaf"sv, "\xed\xa0\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xe2\x82"sv, "\xe2\x28\xa1"sv}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(NamesTest, UnitsAreWhatTheNameInOpenMetricsEndsWith) {
  EXPECT_EQ(unit_of(base_name("read_bytes_total", MetricType::kCounter)), "bytes");
  EXPECT_EQ(unit_of(base_name("disk_bytes_total", MetricType::kGauge)), "");
  EXPECT_EQ(unit_of(base_name("odd_bytes_total_total", MetricType::kCounter)), "");
  EXPECT_EQ(unit_of("disk_bytes"), "bytes");
  EXPECT_EQ(unit_of("bytes"), "");
  EXPECT_EQ(unit_of("kilobytes"), "");
}

TEST(NamesTest, WithoutTotal) {
  EXPECT_EQ(without_total("x_total"), "x");
  EXPECT_EQ(without_total("x"), "x");
  EXPECT_EQ(without_total("_total"), "_total");
}

TEST(NameTableTest, OwnersByAnyOfTheirSampleNames) {
  NameTable table;
  table.add("hits_total", MetricType::kCounter);
  table.add("wait", MetricType::kHistogram);
  table.add("temperature", MetricType::kGauge);
  const auto owner = [&](std::string_view name, MetricType type) -> std::string {
    const NameTable::Owner* found = table.owner_of(name, type);
    return found == nullptr ? "" : found->family;
  };
  EXPECT_EQ(owner("hits", MetricType::kGauge), "hits_total");
  EXPECT_EQ(owner("hits_total", MetricType::kGauge), "hits_total");
  EXPECT_EQ(owner("hits_created", MetricType::kGauge), "hits_total");
  EXPECT_EQ(owner("hits_total", MetricType::kCounter), "hits_total");
  EXPECT_EQ(owner("wait_sum", MetricType::kGauge), "wait");
  EXPECT_EQ(owner("wait_count_total", MetricType::kCounter), "wait");
  EXPECT_EQ(owner("temperature", MetricType::kSummary), "temperature");
  EXPECT_EQ(owner("temperature_sum", MetricType::kGauge), "");
  EXPECT_EQ(owner("wai", MetricType::kHistogram), "");
}

TEST(NameTableTest, ALaterFamilyMayNotExposeAnEarlierName) {
  NameTable table;
  table.add("x_sum", MetricType::kGauge);
  EXPECT_NE(table.owner_of("x", MetricType::kHistogram), nullptr);
  EXPECT_NE(table.owner_of("x", MetricType::kSummary), nullptr);
  EXPECT_EQ(table.owner_of("x", MetricType::kCounter), nullptr);
}

}  // namespace
}  // namespace inferometer
