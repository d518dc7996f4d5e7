#include <algorithm>

#include "inferometer/errors.h"
#include "model/lowering.h"
#include "model/window.h"

namespace inferometer {
namespace {

/// Every window must see at least one element of the input, or its result has no meaning.
void check_windows_see_input(const AxisWindow& window) {
  const int64_t extent = (window.kernel - 1) * window.dilation + 1;
  const bool padded = window.pad_before > 0 || window.pad_after > 0;
  if (std::max(window.pad_before, window.pad_after) >= extent ||
      (padded && window.dilation > window.in)) {
    throw ConfigError(
        "some windows lie in the padding only: kernel " + std::to_string(window.kernel) +
        ", dilation " + std::to_string(window.dilation) + ", pads " +
        std::to_string(window.pad_before) + " and " + std::to_string(window.pad_after));
  }
}

}  // namespace

void lower_pool(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape shape = node.graph().value(x).shape;
  const auto kernel = node.attributes.integers("kernel_shape");
  if (!kernel.has_value()) throw ConfigError("kernel_shape is missing");
  const bool ceil_mode = node.attributes.integer("ceil_mode", 0) != 0;
  const bool max = node.op() == "MaxPool";
  if (max) node.attributes.ignore("storage_order");  // of the indices, which are not computed
  const bool count_include_pad = !max && node.attributes.integer("count_include_pad", 0) != 0;
  const Windows windows = read_windows(node.attributes, shape, *kernel, ceil_mode);
  const auto& [h, w] = windows;
  check_windows_see_input(h);
  check_windows_see_input(w);
  node.emit(Pool2d{.kind = max ? PoolKind::kMax : PoolKind::kAverage,
                   .channels = shape[0],
                   .in_h = h.in,
                   .in_w = w.in,
                   .out_h = h.out,
                   .out_w = w.out,
                   .kernel_h = h.kernel,
                   .kernel_w = w.kernel,
                   .stride_h = h.stride,
                   .stride_w = w.stride,
                   .dilation_h = h.dilation,
                   .dilation_w = w.dilation,
                   .pad_top = h.pad_before,
                   .pad_left = w.pad_before,
                   .pad_bottom = h.pad_after,
                   .pad_right = w.pad_after,
                   .count_include_pad = count_include_pad},
            {x}, windows_shape(windows, shape[0], shape));
}

void lower_global_average_pool(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape shape = node.graph().value(x).shape;
  if (shape.rank() < 2) throw ConfigError("the input has no dimension of space");
  Shape result = shape;
  for (size_t axis = 1; axis < shape.rank(); ++axis) result.set(axis, 1);
  const int64_t space = shape.tail(1).elements();
  node.emit(ReduceMean{.kept_rank = 1,
                       .kept_dims = {shape[0]},
                       .kept_strides = {space},
                       .reduced_rank = 1,
                       .reduced_dims = {space},
                       .reduced_strides = {1},
                       .x_row_stride = shape.elements(),
                       .y_row_stride = shape[0]},
            {x}, result);
}

}  // namespace inferometer
