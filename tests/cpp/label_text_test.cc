#include "telemetry/write/label_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace inferometer {
namespace {

TEST(LabelTextTest, JoinsAndEscapes) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const std::vector<std::string> values = {"x", "q\"\\\n", ""};
  EXPECT_EQ(label_text(names, values), R"(a="x",b="q\"\\\n",c="")");
  EXPECT_EQ(label_text({}, {}), "");
}

TEST(LabelTextTest, HelpKeepsQuotes) {
  std::string text = "> ";
  append_escaped_help(text, "a \"b\" \\ c\nd\n");
  EXPECT_EQ(text, R"(> a "b" \\ c\nd\n)");
}

}  // namespace
}  // namespace inferometer
