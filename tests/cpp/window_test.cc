#include "model/window.h"

#include <gtest/gtest.h>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

struct Case {
  AxisWindow window;
  AutoPad auto_pad;
  bool ceil_mode;
  int64_t out, before, after;
};

TEST(WindowTest, PlacesWindowsAsOnnxSays) {
  const Case cases[] = {
      {{.in = 8, .kernel = 3, .pad_before = 1, .pad_after = 1}, AutoPad::kNotSet, false, 8, 1, 1},
      {{.in = 8, .kernel = 3, .stride = 2}, AutoPad::kNotSet, false, 3, 0, 0},
      {{.in = 8, .kernel = 3, .stride = 2}, AutoPad::kNotSet, true, 4, 0, 0},
      {{.in = 7, .kernel = 3, .stride = 2}, AutoPad::kNotSet, true, 3, 0, 0},
      // The fourth window would start in the padding at the end: it is dropped.
      {{.in = 3, .kernel = 1, .stride = 2, .pad_after = 1}, AutoPad::kNotSet, true, 2, 0, 1},
      {{.in = 4, .kernel = 3, .dilation = 2, .pad_before = 2, .pad_after = 2},
       AutoPad::kNotSet,
       false,
       4,
       2,
       2},
      {{.in = 8, .kernel = 3, .stride = 2}, AutoPad::kSameUpper, false, 4, 0, 1},
      {{.in = 8, .kernel = 3, .stride = 2}, AutoPad::kSameLower, false, 4, 1, 0},
      {{.in = 5, .kernel = 2}, AutoPad::kSameUpper, false, 5, 0, 1},
      {{.in = 5, .kernel = 1, .stride = 3}, AutoPad::kSameUpper, false, 2, 0, 0},
      {{.in = 8, .kernel = 3, .pad_before = 9, .pad_after = 9}, AutoPad::kValid, false, 6, 0, 0},
  };
  for (const Case& c : cases) {
    const AxisWindow placed = place_window(c.window, c.auto_pad, c.ceil_mode);
    EXPECT_EQ(placed.out, c.out) << "case " << &c - cases;
    EXPECT_EQ(placed.pad_before, c.before) << "case " << &c - cases;
    EXPECT_EQ(placed.pad_after, c.after) << "case " << &c - cases;
  }
}

TEST(WindowTest, AWindowLargerThanTheInputIsAnError) {
  EXPECT_THROW((void)place_window({.in = 2, .kernel = 3}, AutoPad::kNotSet, false), ConfigError);
}

Windows read(const std::map<std::string, Attribute>& attributes, const Shape& shape,
             const std::vector<int64_t>& kernel) {
  const GraphNode node{"Conv", "c", {"x"}, {"y"}, attributes};
  Attributes reader(node);
  return read_windows(reader, shape, kernel, false);
}

TEST(WindowTest, OneDimensionOfSpaceHasHeightOne) {
  const Windows windows =
      read({{"pads", std::vector<int64_t>{2, 1}}, {"strides", std::vector<int64_t>{2}}},
           Shape({3, 9}), {4});
  EXPECT_EQ(windows.h.in, 1);
  EXPECT_EQ(windows.h.out, 1);
  EXPECT_EQ(windows.w.out, 5);
  EXPECT_EQ(windows_shape(windows, 7, Shape({3, 9})), Shape({7, 5}));
}

TEST(WindowTest, TwoDimensionsArePadsBeginThenEnd) {
  const Windows windows =
      read({{"pads", std::vector<int64_t>{1, 2, 3, 4}}}, Shape({3, 8, 8}), {3, 3});
  EXPECT_EQ(windows.h.pad_before, 1);
  EXPECT_EQ(windows.w.pad_before, 2);
  EXPECT_EQ(windows.h.pad_after, 3);
  EXPECT_EQ(windows.w.pad_after, 4);
}

TEST(WindowTest, ThreeDimensionsAreNamedAsUnsupported) {
  try {
    (void)read({}, Shape({3, 8, 8, 8}), {3, 3, 3});
    FAIL() << "no error";
  } catch (const UnsupportedOperatorError& error) {
    EXPECT_NE(std::string(error.what()).find("3 dimensions"), std::string::npos) << error.what();
  }
}

TEST(WindowTest, BadNumbersAreErrors) {
  const Shape shape({3, 8, 8});
  EXPECT_THROW((void)read({{"strides", Attribute(std::vector<int64_t>{0, 1})}}, shape, {3, 3}),
               ConfigError);
  EXPECT_THROW((void)read({{"dilations", Attribute(std::vector<int64_t>{1})}}, shape, {3, 3}),
               ConfigError);
  EXPECT_THROW((void)read({{"pads", Attribute(std::vector<int64_t>{-1, 0, 0, 0})}}, shape, {3, 3}),
               ConfigError);
  EXPECT_THROW(
      (void)read({{"pads", Attribute(std::vector<int64_t>(4, int64_t{1} << 40))}}, shape, {3, 3}),
      ConfigError);
  EXPECT_THROW((void)read({{"auto_pad", Attribute(std::string("SAME"))}}, shape, {3, 3}),
               ConfigError);
  EXPECT_THROW((void)read({{"auto_pad", Attribute(std::string("SAME_UPPER"))},
                           {"pads", Attribute(std::vector<int64_t>{1, 1, 1, 1})}},
                          shape, {3, 3}),
               ConfigError);
  EXPECT_THROW((void)read({}, shape, {3}), ConfigError);
  EXPECT_THROW((void)read({}, shape, {3, 0}), ConfigError);
}

}  // namespace
}  // namespace inferometer
