#include "model/window.h"

#include <algorithm>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

// Bounds every number in a window, so that no arithmetic on them overflows.
constexpr int64_t kMaxNumber = (int64_t{1} << 31) - 1;

AutoPad parse_auto_pad(const std::string& text) {
  if (text == "NOTSET") return AutoPad::kNotSet;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  if (text == "VALID") return AutoPad::kValid;
  throw ConfigError("got auto_pad \"" + text + "\"");
}

/// `count` numbers of an attribute, all at least `least`; `fallback` for each if it is absent.
std::vector<int64_t> read_numbers(Attributes& attributes, const std::string& name, size_t count,
                                  int64_t least, int64_t fallback) {
  const std::vector<int64_t> numbers =
      attributes.integers(name).value_or(std::vector<int64_t>(count, fallback));
  if (numbers.size() != count) {
    throw ConfigError("got " + std::to_string(numbers.size()) + " " + name + ", want " +
                      std::to_string(count));
  }
  for (const int64_t number : numbers) {
    if (number < least || number > kMaxNumber) {
      throw ConfigError("got " + std::to_string(number) + " in " + name + ", want " +
                        std::to_string(least) + " to " + std::to_string(kMaxNumber));
    }
  }
  return numbers;
}

}  // namespace

AxisWindow place_window(AxisWindow window, AutoPad auto_pad, bool ceil_mode) {
  const int64_t extent = (window.kernel - 1) * window.dilation + 1;
  if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
    window.out = (window.in + window.stride - 1) / window.stride;
    const int64_t pad = std::max<int64_t>(0, (window.out - 1) * window.stride + extent - window.in);
    window.pad_before = auto_pad == AutoPad::kSameUpper ? pad / 2 : (pad + 1) / 2;
    window.pad_after = pad - window.pad_before;
    return window;
  }
  if (auto_pad == AutoPad::kValid) window.pad_before = window.pad_after = 0;
  const int64_t room = window.in + window.pad_before + window.pad_after - extent;
  if (room < 0) {
    throw ConfigError("a window of " + std::to_string(extent) + " does not fit into " +
                      std::to_string(extent + room) + " padded elements");
  }
  window.out = room / window.stride + 1;
  if (ceil_mode && room % window.stride != 0 &&
      window.out * window.stride < window.in + window.pad_before) {
    ++window.out;  // one more window, unless it would start in the padding at the end
  }
  return window;
}

Windows read_windows(Attributes& attributes, const Shape& row_shape,
                     const std::vector<int64_t>& kernel, bool ceil_mode) {
  const size_t space = row_shape.rank() == 0 ? 0 : row_shape.rank() - 1;
  if (space > 2) {
    throw UnsupportedOperatorError(std::to_string(space) +
                                   " dimensions of space, 1 and 2 are supported");
  }
  if (space == 0) throw ConfigError("the input has no dimension of space");
  if (kernel.size() != space) {
    throw ConfigError("the kernel has " + std::to_string(kernel.size()) +
                      " dimensions, the input has " + std::to_string(space));
  }
  const std::string auto_pad_text = attributes.text("auto_pad", "NOTSET");
  const AutoPad auto_pad = parse_auto_pad(auto_pad_text.empty() ? "NOTSET" : auto_pad_text);
  const auto strides = read_numbers(attributes, "strides", space, 1, 1);
  const auto dilations = read_numbers(attributes, "dilations", space, 1, 1);
  const auto pads = read_numbers(attributes, "pads", 2 * space, 0, 0);
  if (auto_pad != AutoPad::kNotSet && std::ranges::any_of(pads, [](int64_t p) { return p > 0; })) {
    throw ConfigError("both pads and auto_pad " + auto_pad_text + " are given");
  }
  AxisWindow axes[2];
  for (size_t i = 0; i < space; ++i) {
    if (kernel[i] < 1 || kernel[i] > kMaxNumber || row_shape[i + 1] > kMaxNumber) {
      throw ConfigError("got a kernel of " + std::to_string(kernel[i]) + " over " +
                        std::to_string(row_shape[i + 1]) + " elements");
    }
    axes[i] = place_window({.in = row_shape[i + 1],
                            .kernel = kernel[i],
                            .stride = strides[i],
                            .dilation = dilations[i],
                            .pad_before = pads[i],
                            .pad_after = pads[i + space]},
                           auto_pad, ceil_mode);
  }
  if (space == 1) return {.h = {}, .w = axes[0]};
  return {.h = axes[0], .w = axes[1]};
}

Shape windows_shape(const Windows& windows, int64_t channels, const Shape& row_shape) {
  if (row_shape.rank() == 2) return Shape({channels, windows.w.out});
  return Shape({channels, windows.h.out, windows.w.out});
}

}  // namespace inferometer
