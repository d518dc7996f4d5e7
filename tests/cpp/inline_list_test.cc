#include "serving/inline_list.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace inferometer {
namespace {

using ShortList = InlineList<std::string_view, 2>;

ShortList list_of(const std::vector<std::string_view>& elements) {
  ShortList list;
  for (const std::string_view element : elements) list.push_back(element);
  return list;
}
std::vector<std::string_view> elements_of(const ShortList& list) {
  return {list.begin(), list.end()};
}

// True if the elements lie in the list itself.
bool in_place(const ShortList& list) {
  const auto* const begin = reinterpret_cast<const char*>(&list);
  const auto* const data = reinterpret_cast<const char*>(list.data());
  return data >= begin && data < begin + sizeof(list);
}

TEST(InlineListTest, IsEmptyAtFirst) {
  const ShortList list;
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(list.begin(), list.end());
  EXPECT_TRUE(std::span<const std::string_view>(list).empty());
}

TEST(InlineListTest, KeepsFewInPlaceAndMoreInMemory) {
  std::vector<std::string_view> want;
  ShortList list;
  for (const char* element : {"a", "b", "c", "d", "e"}) {
    list.push_back(element);
    want.emplace_back(element);
    EXPECT_EQ(elements_of(list), want);
    EXPECT_EQ(in_place(list), want.size() <= 2);
    EXPECT_EQ(list.front(), "a");
    EXPECT_EQ(list[list.size() - 1], element);
  }
}

TEST(InlineListTest, ACopyIsOfItsOwn) {
  for (const size_t size : {size_t{2}, size_t{3}}) {
    ShortList list = list_of({"a", "b", "c"});
    if (size == 2) list = list_of({"a", "b"});
    ShortList copy = list;
    copy[0] = "x";
    EXPECT_EQ(list[0], "a");
    EXPECT_EQ(elements_of(copy).size(), size);
    EXPECT_EQ(copy.front(), "x");
  }
}

TEST(InlineListTest, MayBeMadeOfASize) {
  constexpr std::array<std::string_view, 3> kNames{"0", "1", "2"};
  for (const size_t size : {size_t{0}, size_t{2}, size_t{3}}) {
    ShortList list(size);
    EXPECT_EQ(list.size(), size);
    for (size_t i = 0; i < size; ++i) list[i] = kNames.at(i);
    list.push_back("last");
    EXPECT_EQ(list.size(), size + 1);
    EXPECT_EQ(list[size], "last");
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(list[i], kNames.at(i));
  }
}

TEST(InlineListTest, IsReadAsASpan) {
  const ShortList list = list_of({"a", "b", "c"});
  const std::span<const std::string_view> span = list;
  EXPECT_EQ(span.data(), list.data());
  EXPECT_EQ(span.size(), 3U);
}

}  // namespace
}  // namespace inferometer
