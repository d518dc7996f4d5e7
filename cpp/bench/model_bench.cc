// What computing costs, per row, for each instruction set: the small residual network of
// model_repository/resnet_model (same shapes, other weights) and two perceptrons.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu_isa.h"
#include "inferometer/model.h"

namespace inferometer {
namespace {

Tensor random_tensor(const Shape& shape) {
  static std::mt19937 generator(1);  // NOLINT(bugprone-random-generator-seed): repeatable
  std::uniform_real_distribution<float> uniform(-0.1F, 0.1F);
  Tensor tensor(DType::kFloat32, shape);
  for (float& value : tensor.as<float>()) value = uniform(generator);
  return tensor;
}

/// Adds nodes whose weights are random; a node is named after its result.
class Network {
 public:
  explicit Network(const Shape& input) { builder_.add_input({"x", DType::kFloat32, input}); }

  std::string conv(const std::string& x, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const std::vector<int64_t> pads(4, kernel / 2);
    return node("Conv", {x, weight(Shape({out, in, kernel, kernel})), weight(Shape({out}))},
                {{"pads", pads}, {"strides", std::vector<int64_t>(2, stride)}});
  }
  std::string block(const std::string& x, int64_t in, int64_t out, int64_t stride) {
    const std::string first = node("Relu", {conv(x, in, out, 3, stride)});
    const std::string second = conv(first, out, out, 3, 1);
    const std::string shortcut = in == out ? x : conv(x, in, out, 1, stride);
    return node("Relu", {node("Add", {second, shortcut})});
  }
  std::string dense(const std::string& x, int64_t in, int64_t out) {
    return node("Gemm", {x, weight(Shape({in, out})), weight(Shape({out}))});
  }
  std::string node(const std::string& op, std::vector<std::string> inputs,
                   std::map<std::string, Attribute> attributes = {}) {
    const std::string name = std::to_string(count_++);
    builder_.add_node({op, name, std::move(inputs), {name}, std::move(attributes)});
    return name;
  }
  Model compile(const std::string& output, const std::string& isa) {
    builder_.add_output(output);
    return Model::compile(builder_, {.cpu_isa = isa});
  }

 private:
  std::string weight(const Shape& shape) {
    const std::string name = std::to_string(count_++);
    builder_.add_constant(name, random_tensor(shape));
    return name;
  }

  GraphBuilder builder_;
  int count_ = 0;
};

Model resnet(const std::string& isa) {
  Network network(Shape({-1, 1, 8, 8}));
  std::string x = network.node("Relu", {network.conv("x", 1, 32, 3, 1)});
  x = network.block(x, 32, 32, 1);
  x = network.block(x, 32, 64, 2);
  x = network.block(x, 64, 64, 1);
  x = network.node("Flatten", {network.node("GlobalAveragePool", {x})});
  return network.compile(network.node("Softmax", {network.dense(x, 64, 10)}), isa);
}

Model perceptron(int64_t in, int64_t hidden, const std::string& isa) {
  Network network(Shape({-1, in}));
  std::string x = network.node("Relu", {network.dense("x", in, hidden)});
  x = network.node("Relu", {network.dense(x, hidden, hidden)});
  return network.compile(network.dense(x, hidden, 10), isa);
}

Model tiny(const std::string& isa) { return perceptron(64, 256, isa); }
Model mid(const std::string& isa) { return perceptron(784, 1024, isa); }

/// Hands the same rows in and the same memory out, again and again. Single-owner.
class BenchBatch final : public Batch {
 public:
  BenchBatch(const Model& model, int64_t rows) : rows_(rows) {
    inputs_.push_back(random_tensor(with_rows(model.inputs()[0].shape)));
    views_.push_back(inputs_[0].view());
    output_ = Tensor(DType::kFloat32, with_rows(model.outputs()[0].shape));
  }
  [[nodiscard]] int64_t rows() const noexcept override { return rows_; }
  [[nodiscard]] std::span<const TensorView> inputs() const noexcept override { return views_; }
  [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return nullptr; }
  MutableTensorView allocate_output(size_t /*index*/, DType /*dtype*/,
                                    const Shape& /*shape*/) override {
    return output_.mutable_view();
  }
  [[nodiscard]] size_t requests() const noexcept override { return 0; }
  [[nodiscard]] const std::shared_ptr<void>& object(size_t /*request*/) const noexcept override {
    return no_object_;
  }
  void set_result_object(size_t /*request*/, std::shared_ptr<void> /*result*/) override {}

 private:
  [[nodiscard]] Shape with_rows(Shape shape) const {
    shape.set(0, rows_);
    return shape;
  }

  int64_t rows_;
  std::vector<Tensor> inputs_;
  std::vector<TensorView> views_;
  Tensor output_;
  const std::shared_ptr<void> no_object_;
};

/// Arguments: which instruction set, how many rows.
void run(benchmark::State& state, Model (*make)(const std::string&)) {
  const auto index = static_cast<size_t>(state.range(0));
  if (index >= cpu_isas().size() || !cpu_isas()[index].runs_here) {
    state.SkipWithError("this processor does not run it");
    return;
  }
  const std::string isa(cpu_isas()[index].name);
  const Model model = make(isa);
  const int64_t rows = state.range(1);
  const auto executable = model.make_executable(rows);
  BenchBatch batch(model, rows);
  for ([[maybe_unused]] auto _ : state) executable->run(batch);
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetLabel(isa);
}

BENCHMARK_CAPTURE(run, resnet, resnet)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});
BENCHMARK_CAPTURE(run, tiny, tiny)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});
BENCHMARK_CAPTURE(run, mid, mid)->ArgsProduct({{0, 1, 2}, {1, 8, 64}});

}  // namespace
}  // namespace inferometer
