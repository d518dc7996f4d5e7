#include "model/attributes.h"

#include <gtest/gtest.h>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

const GraphNode& node() {
  static const GraphNode kNode{"Op",
                               "name",
                               {},
                               {"y"},
                               {{"axis", int64_t{2}},
                                {"alpha", 0.5},
                                {"mode", std::string("SAME")},
                                {"pads", std::vector<int64_t>{1, 2}}}};
  return kNode;
}

TEST(AttributesTest, ReadsTypedValues) {
  Attributes attributes(node());
  EXPECT_EQ(attributes.integer("axis", 7), 2);
  EXPECT_EQ(attributes.number("alpha", 7), 0.5);
  EXPECT_EQ(attributes.text("mode", "x"), "SAME");
  EXPECT_EQ(attributes.integers("pads"), (std::vector<int64_t>{1, 2}));
  attributes.require_all_read();
}

TEST(AttributesTest, AbsentOnesHaveDefaults) {
  Attributes attributes(node());
  EXPECT_EQ(attributes.integer("other", 7), 7);
  EXPECT_EQ(attributes.number("other", 1.5), 1.5);
  EXPECT_EQ(attributes.text("other", "x"), "x");
  EXPECT_FALSE(attributes.integers("other").has_value());
}

TEST(AttributesTest, AWrongTypeIsAnErrorThatNamesIt) {
  Attributes attributes(node());
  EXPECT_THROW((void)attributes.integer("alpha", 0), ConfigError);
  EXPECT_THROW((void)attributes.integers("axis"), ConfigError);
  EXPECT_THROW((void)attributes.text("pads", ""), ConfigError);
}

TEST(AttributesTest, NoneIsOverlooked) {
  Attributes attributes(node());
  (void)attributes.integer("axis", 0);
  (void)attributes.number("alpha", 0);
  attributes.ignore("mode");
  try {
    attributes.require_all_read();
    FAIL() << "no error";
  } catch (const UnsupportedOperatorError& error) {
    EXPECT_NE(std::string(error.what()).find("pads"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace inferometer
