#include "telemetry/write/sample_lines.h"

#include <gtest/gtest.h>

#include <string>

namespace inferometer {
namespace {

TEST(SampleLinesTest, LabelsAndTheExtraOne) {
  SampleLines lines;
  const std::string_view labels = "a=\"x\"";
  lines.begin_sample("n", "_bucket", labels, {"le", "1.0"});
  lines.number(Number::of(int64_t{7}));
  lines.milliseconds(-3);
  lines.end_line();
  lines.begin_sample("n", "", {}, {"le", "+Inf"});
  lines.number(Number::of(0.5));
  lines.end_line();
  lines.begin_sample("n", "", {}, {});
  lines.seconds(-1'500'000'000);
  lines.end_line();
  EXPECT_EQ(std::move(lines).text(),
            "n_bucket{a=\"x\",le=\"1.0\"} 7 -3\nn{le=\"+Inf\"} 0.5\nn -1.5\n");
}

TEST(SampleLinesTest, GrowsAsNeeded) {
  SampleLines lines(10);
  const std::string name(100'000, 'n');
  const std::string label(100'000, 'l');
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    lines.begin_sample(name, "", label, {});
    lines.number(Number::of(int64_t{i}));
    lines.end_line();
    expected.append(name).append("{").append(label).append("} ").append(std::to_string(i)) += '\n';
  }
  EXPECT_EQ(std::move(lines).text(), expected);
}

}  // namespace
}  // namespace inferometer
