#include "telemetry/record/label_values.h"

#include <gtest/gtest.h>

#include "error_text.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

const std::vector<std::string> kNames = {"path", "code"};

TEST(LabelValuesTest, CountsAreChecked) {
  const std::vector<std::string_view> one = {"/"};
  EXPECT_EQ(error_of([&] { check_label_count("hits", kNames, one); }),
            "metric \"hits\": got 1 label values, want 2 (path, code)");
  EXPECT_NO_THROW(check_label_count("hits", {}, {}));
}

TEST(LabelValuesTest, ValuesAreUtf8) {
  const std::vector<std::string_view> bad = {"/", "\xff"};
  EXPECT_EQ(error_of([&] { check_label_values("hits", kNames, bad); }),
            "metric \"hits\": the value of label code is not UTF-8");
  const std::vector<std::string_view> good = {"", "\xc3\xa9"};
  EXPECT_NO_THROW(check_label_values("hits", kNames, good));
}

TEST(LabelValuesTest, AreBroughtIntoOrder) {
  const std::vector<std::string> names = {"code", "path"};
  const std::vector<std::string> values = {"200", "/"};
  EXPECT_EQ(in_order_of(kNames, names, values), (std::vector<std::string_view>{"/", "200"}));
  const std::vector<std::string> others = {"code", "method"};
  EXPECT_EQ(in_order_of(kNames, others, values), std::nullopt);
  EXPECT_EQ(in_order_of(kNames, {}, {}), std::nullopt);
}

}  // namespace
}  // namespace inferometer
