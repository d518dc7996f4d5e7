#include "telemetry/record/exemplar_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "storage_under_test.h"

namespace inferometer {
namespace {

using TraceLabels = std::vector<std::pair<std::string_view, std::string_view>>;

TEST(ExemplarCellsTest, TheNewestOfEachBucket) {
  ExemplarCells cells(make_storage(), 3);
  EXPECT_TRUE(cells.read(1).text.empty());
  cells.set(1, TraceLabels{{"trace_id", "old"}}, 1.5, 7);
  cells.set(1, TraceLabels{{"trace_id", "a\"b"}, {"x", ""}}, 2.5, 8);
  const ExemplarReading reading = cells.read(1);
  EXPECT_EQ(reading.text, "trace_id=\"a\\\"b\",x=\"\"");
  EXPECT_EQ(reading.value, 2.5);
  EXPECT_EQ(reading.timestamp_ns, 8);
  EXPECT_TRUE(cells.read(0).text.empty());
  EXPECT_TRUE(cells.read(2).text.empty());
}

TEST(ExemplarCellsTest, TheLargestThatIsAllowed) {
  std::string emoji;
  for (int i = 0; i < 127; ++i) emoji += "\xF0\x9F\x98\x80";
  const TraceLabels largest{{"t", emoji}};
  check_exemplar(largest);
  ExemplarCells cells(make_storage(), 1);
  cells.set(0, largest, 1, 1);
  EXPECT_EQ(cells.read(0).text, "t=\"" + emoji + "\"");

  std::vector<std::string> names;  // 128 names of one letter do not exist: 53 of one, then two
  for (char c = 'a'; c <= 'z'; ++c) names.emplace_back(1, c);
  for (char c = 'A'; c <= 'Z'; ++c) names.emplace_back(1, c);
  TraceLabels many;
  for (const std::string& name : names) many.emplace_back(name, "");
  check_exemplar(many);
  cells.set(0, many, 1, 1);
  const std::string text = cells.read(0).text;
  EXPECT_EQ(std::ranges::count(text, '='), 52);
}

TEST(ExemplarCellsTest, WhatCannotBeOne) {
  const auto message = [](const TraceLabels& labels) -> std::string {
    try {
      check_exemplar(labels);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({}), "exemplar: got no labels, want at least one");
  EXPECT_EQ(message({{"1", "x"}}), "exemplar: got label name \"1\", want [a-zA-Z_][a-zA-Z0-9_]*");
  EXPECT_EQ(message({{"a", "x"}, {"a", "y"}}), "exemplar: got label a twice, want each once");
  EXPECT_EQ(message({{"a", "\xff"}}), "exemplar: the value of label a is not UTF-8");
  EXPECT_EQ(message({{"a", std::string(128, 'x')}}),
            "exemplar: got labels of 129 code points, names and values together, want at most 128");
  EXPECT_EQ(message({{"a", std::string(127, 'x')}}), "");
}

// What is read is always one that was written whole.
TEST(ExemplarCellsTest, WritersAndAReader) {
  constexpr int kRounds = 20'000;
  ExemplarCells cells(make_storage(), 1);
  const auto write = [&cells](char letter) {
    const std::string text(letter == 'a' ? 10 : 100, letter);
    for (int i = 0; i < kRounds; ++i) cells.set(0, TraceLabels{{"t", text}}, letter, letter);
  };
  cells.set(0, TraceLabels{{"t", std::string(10, 'a')}}, 'a', 'a');
  std::array<std::thread, 2> writers{std::thread(write, 'a'), std::thread(write, 'b')};
  for (int i = 0; i < 2'000; ++i) {
    const ExemplarReading reading = cells.read(0);
    if (reading.text.empty()) continue;      // was being written all the time
    const char letter = reading.text.at(3);  // t="
    EXPECT_EQ(reading.text, "t=\"" + std::string(letter == 'a' ? 10 : 100, letter) + "\"");
    EXPECT_EQ(reading.value, letter);
    EXPECT_EQ(reading.timestamp_ns, letter);
  }
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace inferometer
