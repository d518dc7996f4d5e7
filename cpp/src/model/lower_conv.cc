#include <cmath>
#include <numeric>

#include "inferometer/errors.h"
#include "model/lowering.h"
#include "model/window.h"

namespace inferometer {
namespace {

// Working memory of one image beyond this is a broken file, not a model.
constexpr int64_t kMaxWorkspaceElements = int64_t{1} << 40;

int64_t checked_product(std::initializer_list<int64_t> factors) {
  int64_t product = 1;
  for (const int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product) || product > kMaxWorkspaceElements) {
      throw ConfigError("the padded image is too large");
    }
  }
  return product;
}

void check_workspace(const Conv2d& c, const Windows& windows) {
  const auto padded = [](const AxisWindow& w) {
    return (w.out - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
  };
  const int64_t in = c.in_channels / c.groups;
  (void)checked_product({in, padded(windows.h), padded(windows.w)});
  (void)checked_product({in, c.kernel_h, c.kernel_w, c.out_w});
}

}  // namespace

void lower_conv(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape& x_shape = node.graph().value(x).shape;
  const Shape weights = node.float_constant(1, "the weight").shape();
  if (weights.rank() != x_shape.rank() + 1) {
    throw ConfigError("the weight has shape " + weights.to_string() + " for an input of " +
                      std::to_string(x_shape.rank() + 1) + " dimensions");
  }
  const auto kernel_dims = weights.dims().subspan(2);
  const std::vector<int64_t> kernel(kernel_dims.begin(), kernel_dims.end());
  const auto declared = node.attributes.integers("kernel_shape");
  if (declared.has_value() && *declared != kernel) {
    throw ConfigError("kernel_shape differs from the weight's shape " + weights.to_string());
  }
  const Windows windows = read_windows(node.attributes, x_shape, kernel, false);
  const int64_t groups = node.attributes.integer("group", 1);
  const int64_t channels = x_shape[0];
  if (groups < 1 || channels % groups != 0 || weights[0] % groups != 0 || weights[0] < 1 ||
      weights[1] != channels / groups) {
    throw ConfigError("a weight of shape " + weights.to_string() + " in " + std::to_string(groups) +
                      " groups does not fit " + std::to_string(channels) + " input channels");
  }
  ValueId bias = kNoValue;
  if (node.optional_input(2) != kNoValue) {
    const Shape shape = node.float_constant(2, "the bias").shape();
    if (shape != Shape({weights[0]})) {
      throw ConfigError("the bias has shape " + shape.to_string() + ", want (" +
                        std::to_string(weights[0]) + ",)");
    }
    bias = node.input(2);
  }
  const auto& [h, w] = windows;
  const Conv2d conv{.in_channels = channels,
                    .in_h = h.in,
                    .in_w = w.in,
                    .out_channels = weights[0],
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
                    .groups = groups,
                    .activation = Activation::kNone};
  check_workspace(conv, windows);
  node.emit(conv, {x, node.input(1), bias, kNoValue}, windows_shape(windows, weights[0], x_shape));
}

void lower_batch_normalization(NodeLowering& node) {
  const ValueId x = node.activation(0);
  const Shape shape = node.graph().value(x).shape;
  if (shape.rank() == 0) throw ConfigError("the input has no channels");
  const double epsilon = node.attributes.number("epsilon", 1e-5);
  node.attributes.ignore("momentum");         // training only
  node.attributes.ignore("consumed_inputs");  // opset 1: a memory hint
  // Before opset 7 it was called is_test.
  if (node.attributes.integer("training_mode", 0) != 0 ||
      node.attributes.integer("is_test", 1) != 1) {
    throw UnsupportedOperatorError("training mode mixes the rows of a batch");
  }
  if (node.attributes.integer("spatial", 1) != 1) {
    throw UnsupportedOperatorError("spatial 0 is not supported");
  }
  const int64_t channels = shape[0];
  const char* const names[] = {"the scale", "the bias", "the mean", "the variance"};
  std::span<const float> parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    const Tensor& tensor = node.float_constant(i + 1, names[i]);
    if (tensor.shape() != Shape({channels})) {
      throw ConfigError(std::string(names[i]) + " has shape " + tensor.shape().to_string() +
                        ", want (" + std::to_string(channels) + ",)");
    }
    parameters[i] = tensor.as<float>();
  }
  // (x - mean) * scale / sqrt(variance + epsilon) + bias is one multiplication and one addition.
  Tensor scale(DType::kFloat32, Shape({channels}));
  Tensor shift(DType::kFloat32, Shape({channels}));
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const double factor = static_cast<double>(parameters[0][c]) /
                          std::sqrt(static_cast<double>(parameters[3][c]) + epsilon);
    scale.as<float>()[c] = static_cast<float>(factor);
    shift.as<float>()[c] = static_cast<float>(static_cast<double>(parameters[1][c]) -
                                              static_cast<double>(parameters[2][c]) * factor);
  }
  Graph& graph = node.graph();
  const ValueId scale_id = graph.add_constant("", std::move(scale));
  const ValueId shift_id = graph.add_constant("", std::move(shift));
  node.emit(
      ChannelAffine{
          .channels = channels, .inner = shape.tail(1).elements(), .activation = Activation::kNone},
      {x, scale_id, shift_id}, shape);
}

}  // namespace inferometer
