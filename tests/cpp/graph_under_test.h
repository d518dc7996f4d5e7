// Building graphs and running them in tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "inferometer/executable.h"
#include "inferometer/model.h"

namespace inferometer {

/// A batch in plain memory that keeps what run() writes. Single-owner.
class TestBatch final : public Batch {
 public:
  explicit TestBatch(std::vector<Tensor> inputs) : inputs_(std::move(inputs)) {
    for (const Tensor& input : inputs_) views_.push_back(input.view());
    rows_ = views_.empty() ? 0 : views_[0].shape[0];
  }

  std::vector<Tensor> outputs;
  int64_t input_ns = -1, output_ns = -1;  // as the model said

  [[nodiscard]] int64_t rows() const noexcept override { return rows_; }
  [[nodiscard]] std::span<const TensorView> inputs() const noexcept override { return views_; }
  [[nodiscard]] std::span<const TensorSpec> input_specs() const noexcept override { return {}; }
  [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return nullptr; }
  MutableTensorView allocate_output(size_t index, DType dtype, const Shape& shape) override {
    if (index != outputs.size()) throw std::logic_error("outputs out of order");
    outputs.emplace_back(dtype, shape);
    return outputs.back().mutable_view();
  }
  void copied(int64_t in, int64_t out) noexcept override {
    input_ns = in;
    output_ns = out;
  }
  [[nodiscard]] size_t requests() const noexcept override { return 0; }
  [[nodiscard]] const std::shared_ptr<void>& object(size_t /*request*/) const noexcept override {
    return no_object_;
  }
  void set_result_object(size_t /*request*/, std::shared_ptr<void> /*result*/) override {}

 private:
  std::vector<Tensor> inputs_;
  std::vector<TensorView> views_;
  int64_t rows_ = 0;
  const std::shared_ptr<void> no_object_;
};

inline Tensor tensor_of(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor(DType::kFloat32, shape);
  std::ranges::copy(values, tensor.as<float>().begin());
  return tensor;
}

inline Tensor integers(const std::vector<int64_t>& values) {
  Tensor tensor(DType::kInt64, Shape({static_cast<int64_t>(values.size())}));
  std::ranges::copy(values, tensor.as<int64_t>().begin());
  return tensor;
}

inline Tensor random_tensor(const Shape& shape, std::mt19937& generator) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  Tensor tensor(DType::kFloat32, shape);
  for (float& value : tensor.as<float>()) value = uniform(generator);
  return tensor;
}

inline std::vector<float> floats(const Tensor& tensor) {
  std::vector<float> values(tensor.as<float>().size());
  std::ranges::copy(tensor.as<float>(), values.begin());
  return values;
}

/// Rows [first, first + count) of a tensor.
inline Tensor rows_of(const Tensor& tensor, int64_t first, int64_t count) {
  Shape shape = tensor.shape();
  const size_t row_bytes = tensor.bytes() / static_cast<size_t>(shape[0]);
  shape.set(0, count);
  Tensor rows(tensor.dtype(), shape);
  std::memcpy(rows.mutable_view().data, tensor.view().data + static_cast<size_t>(first) * row_bytes,
              rows.bytes());
  return rows;
}

inline Tensor run(Executable& executable, const Tensor& input) {
  std::vector<Tensor> inputs;
  inputs.push_back(input.clone());
  TestBatch batch(std::move(inputs));
  executable.run(batch);
  return std::move(batch.outputs.at(0));
}

/// A builder with short words: inputs "x..." of float32, constants of random numbers, nodes named
/// after their output. Single-owner.
class GraphUnderTest {
 public:
  GraphBuilder builder;
  std::mt19937 generator{7};

  GraphUnderTest& input(const std::string& name, const Shape& shape) {
    builder.add_input({name, DType::kFloat32, shape});
    return *this;
  }
  GraphUnderTest& weight(const std::string& name, const Shape& shape) {
    return constant(name, random_tensor(shape, generator));
  }
  /// Above zero, as a variance must be.
  GraphUnderTest& positive(const std::string& name, const Shape& shape) {
    Tensor tensor = random_tensor(shape, generator);
    for (float& value : tensor.as<float>()) value = std::abs(value) + 0.1F;
    return constant(name, std::move(tensor));
  }
  GraphUnderTest& constant(const std::string& name, Tensor tensor) {
    builder.add_constant(name, std::move(tensor));
    return *this;
  }
  GraphUnderTest& node(const std::string& op, std::vector<std::string> inputs,
                       const std::string& output,
                       std::map<std::string, Attribute> attributes = {}) {
    builder.add_node({op, output, std::move(inputs), {output}, std::move(attributes)});
    return *this;
  }
  GraphUnderTest& output(const std::string& name) {
    builder.add_output(name);
    return *this;
  }
};

using Ints = std::vector<int64_t>;

}  // namespace inferometer
