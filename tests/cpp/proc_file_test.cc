#include "monitor/proc_file.h"

#include <gtest/gtest.h>

#include <string>

#include "machine_files.h"

namespace inferometer {
namespace {

TEST(ProcFileTest, ReadsUpToTheLimit) {
  const FileTree files;
  files.write("a", "0123456789");
  EXPECT_EQ(read_file(files.path("a"), 100), "0123456789");
  EXPECT_EQ(read_file(files.path("a"), 10), "0123456789");
  EXPECT_EQ(read_file(files.path("a"), 4), "0123");
  files.write("empty", "");
  EXPECT_EQ(read_file(files.path("empty"), 4), "");
}

TEST(ProcFileTest, ReadsFilesThatSayTheyAreEmpty) {
  const auto text = read_file("/proc/self/stat", 4096);
  ASSERT_TRUE(text);
  EXPECT_FALSE(text->empty());
}

TEST(ProcFileTest, WhatCannotBeReadIsNothing) {
  const FileTree files;
  EXPECT_FALSE(read_file(files.path("missing"), 100));
  EXPECT_FALSE(read_file(files.root(), 100));  // a directory
}

TEST(ProcFileTest, FindsTheLineOfAKey) {
  constexpr std::string_view kText = "MemTotal:  7 kB\nMemFree: 1 kB\nlast 3";
  EXPECT_EQ(after_key(kText, "MemTotal:"), "  7 kB");
  EXPECT_EQ(after_key(kText, "MemFree:"), " 1 kB");
  EXPECT_EQ(after_key(kText, "last "), "3");
  EXPECT_FALSE(after_key(kText, "Total:"));  // in the middle of a line
  EXPECT_FALSE(after_key(kText, "none"));
  EXPECT_FALSE(after_key("", "a"));
  EXPECT_FALSE(after_key("\n\n", "a"));
}

TEST(ProcFileTest, WordsAndNumbers) {
  Words words(" 12\tab  18446744073709551615 18446744073709551616 -1 7x\n9");
  EXPECT_EQ(words.number(), 12U);
  EXPECT_EQ(words.next(), "ab");
  EXPECT_EQ(words.number(), 18446744073709551615U);
  EXPECT_FALSE(words.number());
  EXPECT_FALSE(words.number());
  EXPECT_FALSE(words.number());
  EXPECT_EQ(words.number(), 9U);
  EXPECT_EQ(words.next(), "");
  EXPECT_FALSE(words.number());
  Words others("a b c d");
  others.skip(2);
  EXPECT_EQ(others.next(), "c");
  others.skip(5);
  EXPECT_EQ(others.next(), "");
}

}  // namespace
}  // namespace inferometer
