// Sliding windows of convolution and pooling along one axis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/lowering.h"

namespace inferometer {

/// A window of `kernel` taps, `dilation` apart, moved by `stride`; `out` positions. A value type.
struct AxisWindow {
  int64_t in = 1, out = 1;
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t pad_before = 0, pad_after = 0;
};

/// Both axes of space; height is 1 if there is only one.
struct Windows {
  AxisWindow h, w;
};

enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

/// `window` with its padding (unless kNotSet) and `out` worked out as ONNX says. Throws ConfigError
/// if no position is left.
[[nodiscard]] AxisWindow place_window(AxisWindow window, AutoPad auto_pad, bool ceil_mode);

/// Reads strides, dilations, pads and auto_pad for an input of `row_shape` (channels, space...).
/// Three or more dimensions of space throw UnsupportedOperatorError.
[[nodiscard]] Windows read_windows(Attributes& attributes, const Shape& row_shape,
                                   const std::vector<int64_t>& kernel, bool ceil_mode);

/// (channels, out...) with as many dimensions of space as `row_shape` has.
[[nodiscard]] Shape windows_shape(const Windows& windows, int64_t channels, const Shape& row_shape);

}  // namespace inferometer
