#include "telemetry/write/cell_writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage_under_test.h"

namespace inferometer {
namespace {

std::string written(const CellFamily& family, const CellWriting& writing) {
  std::string out;
  append_cell_family(out, family, writing);
  return out;
}

constexpr CellWriting kPlain{CellFormat::kPlain, true};
constexpr CellWriting kOpenMetrics{CellFormat::kOpenMetrics, true};

TEST(CellWriterTest, CountersHaveTheirTimesAtTheEndOfTheText) {
  CellFamily family = family_of({CellType::kCounter, "c", "a \"b\"\n\\", "", {"l"}, nullptr});
  const auto cell = family.get(std::vector<std::string_view>{"v"});
  cell->add(2.5);
  cell->set_created(123.456);
  EXPECT_EQ(
      written(family, kPlain),
      "# HELP c_total a \"b\"\\n\\\\\n# TYPE c_total counter\nc_total{l=\"v\"} 2.5\n"
      "# HELP c_created a \"b\"\\n\\\\\n# TYPE c_created gauge\nc_created{l=\"v\"} 123.456\n");
  EXPECT_EQ(written(family, kOpenMetrics),
            "# HELP c a \\\"b\\\"\\n\\\\\n# TYPE c counter\nc_total{l=\"v\"} 2.5\n"
            "c_created{l=\"v\"} 123.456\n");
  EXPECT_EQ(written(family, {CellFormat::kOpenMetrics, false}),
            "# HELP c a \\\"b\\\"\\n\\\\\n# TYPE c counter\nc_total{l=\"v\"} 2.5\n");
}

TEST(CellWriterTest, FamiliesWithoutSeriesAreTheirHeader) {
  const CellFamily family = family_of({CellType::kCounter, "c", "help", "", {"l"}, nullptr});
  EXPECT_EQ(written(family, kPlain), "# HELP c_total help\n# TYPE c_total counter\n");
}

TEST(CellWriterTest, GaugesAndUnits) {
  CellFamily family = family_of({CellType::kGauge, "g_bytes", "help", "bytes", {}, nullptr});
  family.get({})->set(-1e20);
  EXPECT_EQ(written(family, kPlain), "# HELP g_bytes help\n# TYPE g_bytes gauge\ng_bytes -1e+20\n");
  EXPECT_EQ(written(family, kOpenMetrics),
            "# HELP g_bytes help\n# TYPE g_bytes gauge\n# UNIT g_bytes bytes\ng_bytes -1e+20\n");
}

TEST(CellWriterTest, Summaries) {
  CellFamily family = family_of({CellType::kSummary, "s", "help", "", {}, nullptr});
  family.get({})->observe(3);
  EXPECT_EQ(written(family, {CellFormat::kPlain, false}),
            "# HELP s help\n# TYPE s summary\ns_count 1.0\ns_sum 3.0\n");
}

TEST(CellWriterTest, HistogramsSortLeAmongTheLabels) {
  CellFamily family =
      family_of({CellType::kHistogram, "h", "help", "", {"z", "a"}, CellBounds::of({1, 2})});
  const auto cell = family.get(std::vector<std::string_view>{"1", "2"});
  cell->observe_in(cell->bucket_of(1.5), 1.5);
  cell->set_exemplar(1, {{{"t", "\""}}, 1.5, 1000});
  EXPECT_EQ(written(family, {CellFormat::kOpenMetrics, false}),
            "# HELP h help\n# TYPE h histogram\n"
            "h_bucket{a=\"2\",le=\"1.0\",z=\"1\"} 0.0\n"
            "h_bucket{a=\"2\",le=\"2.0\",z=\"1\"} 1.0 # {t=\"\\\"\"} 1.5 1000.0\n"
            "h_bucket{a=\"2\",le=\"+Inf\",z=\"1\"} 1.0\n"
            "h_count{a=\"2\",z=\"1\"} 1.0\nh_sum{a=\"2\",z=\"1\"} 1.5\n");
}

TEST(CellWriterTest, ASumThatMayFallIsLeftOut) {
  CellFamily family = family_of({CellType::kHistogram, "h", "", "", {}, CellBounds::of({-1})});
  EXPECT_EQ(written(family, {CellFormat::kPlain, false}),
            "# HELP h \n# TYPE h histogram\nh_bucket{le=\"-1.0\"} 0.0\nh_bucket{le=\"+Inf\"} 0.0\n"
            "h_count 0.0\n");
}

}  // namespace
}  // namespace inferometer
