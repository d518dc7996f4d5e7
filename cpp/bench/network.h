// Graphs with random weights, for benches.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "inferometer/model.h"

namespace inferometer {

inline Tensor random_tensor(const Shape& shape) {
  static std::mt19937 generator(1);  // NOLINT(bugprone-random-generator-seed): repeatable
  std::uniform_real_distribution<float> uniform(-0.1F, 0.1F);
  Tensor tensor(DType::kFloat32, shape);
  for (float& value : tensor.as<float>()) value = uniform(generator);
  return tensor;
}

/// Adds nodes whose weights are random; a node is named after its result. Single-owner.
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

/// Two dense layers of `hidden` with ReLU, and one of 10 behind them. `isa`: as CompileOptions'.
inline Model perceptron(int64_t in, int64_t hidden, const std::string& isa = "") {
  Network network(Shape({-1, in}));
  std::string x = network.node("Relu", {network.dense("x", in, hidden)});
  x = network.node("Relu", {network.dense(x, hidden, hidden)});
  return network.compile(network.dense(x, hidden, 10), isa);
}

}  // namespace inferometer
