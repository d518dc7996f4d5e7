#include "telemetry/cells/cell_view.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage_under_test.h"
#include "telemetry/write/openmetrics_writer.h"

namespace inferometer {
namespace {

using Views = std::vector<std::string_view>;

std::string written(const CellFamily& family) {
  OpenMetricsWriter writer(0, /*with_created=*/true);
  (void)visit_cells(family, writer);
  return std::move(writer).text();
}

TEST(CellViewTest, CountersWithExemplarsAndTimes) {
  CellFamily family = family_of({CellType::kCounter, "c_bytes", "help", "bytes", {"l"}});
  const auto cell = family.get(Views{"v"});
  cell->add(2.5);
  cell->set_created(123.456);
  cell->set_exemplar(0, {{{"t", "\""}, {"u", ""}}, 1.5, 1000.25});
  EXPECT_EQ(written(family),
            "# TYPE c_bytes counter\n# UNIT c_bytes bytes\n# HELP c_bytes help\n"
            "c_bytes_total{l=\"v\"} 2.5 # {t=\"\\\"\",u=\"\"} 1.5 1000.25\n"
            "c_bytes_created{l=\"v\"} 123.456\n# EOF\n");
}

TEST(CellViewTest, HistogramsAreCumulative) {
  CellFamily family = family_of({CellType::kHistogram, "h", "", "", {}, CellBounds::of({1, 2})});
  const auto cell = family.get({});
  cell->set_created(0);
  for (const double value : {0.5, 1.5, 9.0}) cell->observe_in(cell->bucket_of(value), value);
  cell->set_exemplar(1, {{{"t", "x"}}, 1.5, 1});
  EXPECT_EQ(written(family),
            "# TYPE h histogram\n# HELP h \nh_bucket{le=\"1.0\"} 1\n"
            "h_bucket{le=\"2.0\"} 2 # {t=\"x\"} 1.5 1.0\nh_bucket{le=\"+Inf\"} 3\n"
            "h_count 3\nh_sum 11.0\n# EOF\n");
}

TEST(CellViewTest, SummariesAndGauges) {
  CellFamily summary = family_of({CellType::kSummary, "s", "", "", {}});
  summary.get({})->observe(3);
  summary.get({})->set_created(std::numeric_limits<double>::infinity());  // no time
  EXPECT_EQ(written(summary), "# TYPE s summary\n# HELP s \ns_count 1\ns_sum 3.0\n# EOF\n");
  CellFamily gauge = family_of({CellType::kGauge, "g", "", "", {"x"}});
  EXPECT_EQ(written(gauge), "# EOF\n");
  gauge.get(Views{"1"})->set(-1e20);
  EXPECT_EQ(written(gauge), "# TYPE g gauge\n# HELP g \ng{x=\"1\"} -1e+20\n# EOF\n");
}

TEST(CellViewTest, PythonShowsTheRest) {
  EXPECT_FALSE(is_native(family_of({CellType::kInfo, "i", "", "", {}})));
  EXPECT_FALSE(is_native(family_of({CellType::kStateSet, "s", "", "", {}})));
  CellFamily gauge = family_of({CellType::kGauge, "g", "", "", {}});
  EXPECT_TRUE(is_native(gauge));
  gauge.leave_to_python();
  EXPECT_FALSE(is_native(gauge));
}

}  // namespace
}  // namespace inferometer
