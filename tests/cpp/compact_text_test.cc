#include "telemetry/cells/compact_text.h"

#include <gtest/gtest.h>

#include <string>

namespace inferometer {
namespace {

TEST(CompactTextTest, KeepsAnyBytesInOneWord) {
  static_assert(sizeof(CompactText) == sizeof(void*));
  const std::string text("a\0b\n", 4);
  EXPECT_EQ(CompactText(text).view(), text);
  EXPECT_EQ(CompactText(std::string(100'000, 'x')).view().size(), 100'000U);
  EXPECT_EQ(CompactText("").view(), "");
  EXPECT_EQ(CompactText().view(), "");
}

}  // namespace
}  // namespace inferometer
