#include "model/fusion.h"

#include <algorithm>
#include <optional>

namespace inferometer {
namespace {

Activation* activation_of(Operation& operation) {
  if (auto* conv = std::get_if<Conv2d>(&operation)) return &conv->activation;
  if (auto* gemm = std::get_if<Gemm>(&operation)) return &gemm->activation;
  if (auto* add = std::get_if<BroadcastAdd>(&operation)) return &add->activation;
  if (auto* affine = std::get_if<ChannelAffine>(&operation)) return &affine->activation;
  return nullptr;
}

/// One pass over the operations: each looks back at what computes its input and, if nobody else
/// reads that, takes it over. A merged operation stands where the later one stood, so everything
/// that it reads has been computed. Single-owner.
class Fusion {
 public:
  explicit Fusion(Graph& graph)
      : graph_(graph), reads_(graph.count_reads()), producer_(graph.values.size(), -1) {}

  void run() {
    std::vector<bool> dropped(graph_.ops.size());
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const auto taken = merge_into(graph_.ops[i]);
      if (taken.has_value()) dropped[*taken] = true;
      producer_[static_cast<size_t>(graph_.ops[i].output)] = static_cast<int>(i);
    }
    std::vector<Op> kept;
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (!dropped[i]) kept.push_back(std::move(graph_.ops[i]));
    }
    graph_.ops = std::move(kept);
  }

 private:
  /// The operation that computes `id`, if its result is read once and it has no activation yet.
  Op* sole_producer(ValueId id) {
    const ValueId storage = graph_.storage(id);
    const int index = producer_[static_cast<size_t>(storage)];
    if (index < 0 || reads_[static_cast<size_t>(storage)] != 1) return nullptr;
    Op& op = graph_.ops[static_cast<size_t>(index)];
    const Activation* activation = activation_of(op.operation);
    return activation != nullptr && *activation == Activation::kNone ? &op : nullptr;
  }

  /// Replaces `op` by what it merges with; says which operation was taken over.
  std::optional<size_t> merge_into(Op& op) {
    Op* before = nullptr;
    std::optional<Op> merged;
    if (std::holds_alternative<Relu>(op.operation)) {
      before = sole_producer(op.inputs[0]);
      if (before != nullptr) merged = with_relu(*before);
    } else if (std::holds_alternative<ChannelAffine>(op.operation)) {
      before = same_shape_producer(op.inputs[0], op.output);
      if (before != nullptr) merged = with_affine(*before, op);
    } else if (std::holds_alternative<BroadcastAdd>(op.operation)) {
      // The later of two candidates first: it is the one whose result is still in the cache.
      for (const size_t side : later_input_first(op)) {
        before = same_shape_producer(op.inputs[side], op.output);
        if (before != nullptr) merged = with_addition(*before, op, op.inputs[1 - side]);
        if (merged.has_value()) break;
      }
    }
    if (!merged.has_value()) return std::nullopt;
    merged->label = before->label + "+" + op.label;
    merged->output = op.output;
    const auto taken = static_cast<size_t>(before - graph_.ops.data());
    op = std::move(*merged);
    return taken;
  }

  Op* same_shape_producer(ValueId id, ValueId output) {
    Op* op = sole_producer(id);
    if (op == nullptr || graph_.value(op->output).shape != graph_.value(output).shape) {
      return nullptr;
    }
    return graph_.value(id).shape == graph_.value(output).shape ? op : nullptr;
  }

  std::vector<size_t> later_input_first(const Op& op) const {
    const auto index = [&](ValueId id) {
      return producer_[static_cast<size_t>(graph_.storage(id))];
    };
    if (index(op.inputs[1]) > index(op.inputs[0])) return {1, 0};
    return {0, 1};
  }

  static std::optional<Op> with_relu(Op op) {
    *activation_of(op.operation) = Activation::kRelu;
    return op;
  }

  /// conv(x) * scale + shift is the convolution with scaled weights.
  std::optional<Op> with_affine(Op op, const Op& affine) {
    auto* conv = std::get_if<Conv2d>(&op.operation);
    if (conv == nullptr || op.inputs[3] != kNoValue) return std::nullopt;
    const auto scale = graph_.value(affine.inputs[1]).constant->as<float>();
    const auto shift = graph_.value(affine.inputs[2]).constant->as<float>();
    Tensor weights = graph_.value(op.inputs[1]).constant->clone();
    Tensor bias = bias_or_zeros(op.inputs[2], conv->out_channels);
    const auto channels = static_cast<size_t>(conv->out_channels);
    const size_t kernel = weights.as<float>().size() / channels;
    for (size_t c = 0; c < channels; ++c) {
      for (float& w : weights.as<float>().subspan(c * kernel, kernel)) w *= scale[c];
      bias.as<float>()[c] = bias.as<float>()[c] * scale[c] + shift[c];
    }
    op.inputs[1] = graph_.add_constant("", std::move(weights));
    op.inputs[2] = graph_.add_constant("", std::move(bias));
    grow();
    conv->activation = std::get<ChannelAffine>(affine.operation).activation;
    return op;
  }

  /// A constant goes into the bias; a computed value of the same shape is a convolution's shortcut.
  std::optional<Op> with_addition(Op op, const Op& add, ValueId other) {
    auto* conv = std::get_if<Conv2d>(&op.operation);
    auto* gemm = std::get_if<Gemm>(&op.operation);
    if (conv == nullptr && gemm == nullptr) return std::nullopt;
    if (graph_.is_constant(other)) {
      const int64_t channels = conv != nullptr ? conv->out_channels : gemm->n;
      const size_t after = conv != nullptr ? graph_.value(add.output).shape.rank() - 1 : 0;
      if (!is_per_channel(graph_.value(other).shape, channels, after)) return std::nullopt;
      const auto addend = graph_.value(other).constant->as<float>();
      Tensor bias = bias_or_zeros(op.inputs[2], channels);
      for (size_t c = 0; c < bias.as<float>().size(); ++c) {
        bias.as<float>()[c] += addend[addend.size() == 1 ? 0 : c];
      }
      op.inputs[2] = graph_.add_constant("", std::move(bias));
      grow();
    } else {
      if (conv == nullptr || op.inputs[3] != kNoValue) return std::nullopt;
      if (graph_.value(other).shape != graph_.value(add.output).shape) return std::nullopt;
      op.inputs[3] = other;
    }
    *activation_of(op.operation) = std::get<BroadcastAdd>(add.operation).activation;
    return op;
  }

  /// (channels, 1 ... 1) with `after` ones, ones in front allowed; or a single element.
  static bool is_per_channel(const Shape& shape, int64_t channels, size_t after) {
    if (shape.elements() == 1) return true;
    if (shape.rank() < after + 1) return false;
    for (size_t i = 0; i < shape.rank(); ++i) {
      const bool channel = i == shape.rank() - 1 - after;
      if (shape[i] != (channel ? channels : 1)) return false;
    }
    return true;
  }

  Tensor bias_or_zeros(ValueId bias, int64_t channels) {
    if (bias != kNoValue) return graph_.value(bias).constant->clone();
    Tensor zeros(DType::kFloat32, Shape({channels}));
    std::ranges::fill(zeros.as<float>(), 0.0F);
    return zeros;
  }

  /// New constants have no producer and are not counted.
  void grow() {
    reads_.resize(graph_.values.size());
    producer_.resize(graph_.values.size(), -1);
  }

  Graph& graph_;
  std::vector<int> reads_;
  std::vector<int> producer_;
};

}  // namespace

void fuse(Graph& graph) { Fusion(graph).run(); }

}  // namespace inferometer
