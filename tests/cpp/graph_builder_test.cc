#include <gtest/gtest.h>

#include "graph_under_test.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

TEST(GraphBuilderTest, NamesAreDefinedOnceAndBeforeUse) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 4}));
  EXPECT_THROW(graph.input("x", Shape({-1, 4})), ConfigError);
  EXPECT_THROW(graph.weight("x", Shape({4})), ConfigError);
  EXPECT_THROW(graph.node("Relu", {"later"}, "y"), ConfigError);
  graph.node("Relu", {"x"}, "y");
  EXPECT_THROW(graph.node("Relu", {"x"}, "y"), ConfigError);
  EXPECT_THROW(graph.output("z"), ConfigError);
  graph.output("y");
  EXPECT_THROW(graph.output("y"), ConfigError);
}

TEST(GraphBuilderTest, AMessageNamesBothDefinitions) {
  GraphUnderTest graph;
  graph.input("x", Shape({-1, 4}));
  try {
    graph.weight("x", Shape({4}));
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("an input"), std::string::npos) << message;
    EXPECT_NE(message.find("a constant"), std::string::npos) << message;
  }
}

TEST(GraphBuilderTest, EmptyNamesAreAbsentInputsOnly) {
  GraphUnderTest graph;
  EXPECT_THROW(graph.input("", Shape({-1, 4})), ConfigError);
  graph.input("x", Shape({-1, 4}));
  graph.node("Op", {"x", "", "x"}, "y");
  EXPECT_THROW(graph.builder.add_node({"Op", "n", {"x"}, {}, {}}), ConfigError);
  EXPECT_THROW(graph.builder.add_node({"Op", "n", {"x"}, {""}, {}}), ConfigError);
}

}  // namespace
}  // namespace inferometer
