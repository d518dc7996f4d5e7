#include "telemetry/write/label_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace inferometer {
namespace {

TEST(LabelTextTest, JoinsAndEscapes) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const std::vector<std::string> values = {"x", "q\"\\\n", ""};
  EXPECT_EQ(label_text(names, values), R"(a="x",b="q\"\\\n",c="")");
  const std::vector<std::string_view> views(values.begin(), values.end());
  EXPECT_EQ(label_text(names, views), label_text(names, values));
}

TEST(LabelTextTest, TheReaderReadsWhatWasWritten) {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  const std::vector<std::string> values = {"x", "q\"\\\n,n=\"y\"", "", "\\n", "\n\n"};
  const std::string text = label_text(names, values);
  LabelReader reader(text);
  for (size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.name(), names[i]);
    EXPECT_EQ(reader.value(), values[i]);
    EXPECT_EQ(reader.rest().empty(), i + 1 == names.size());
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(LabelReader("").next());
}

TEST(LabelTextTest, HelpKeepsQuotes) {
  std::string text = "> ";
  append_escaped_help(text, "a \"b\" \\ c\nd\n");
  EXPECT_EQ(text, R"(> a "b" \\ c\nd\n)");
}

}  // namespace
}  // namespace inferometer
