// A batch for running an executable without an engine.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "inferometer/executable.h"
#include "network.h"

namespace inferometer {

/// Hands the same random rows in and the same memory out, again and again: for models of one
/// float32 input and output. Single-owner.
class DirectBatch final : public Batch {
 public:
  DirectBatch(const TensorSpec& input, const TensorSpec& output, int64_t rows)
      : rows_(rows),
        input_(random_tensor(with_rows(input.shape))),
        views_({input_.view()}),
        output_(DType::kFloat32, with_rows(output.shape)) {}
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

  const int64_t rows_;
  Tensor input_;
  const std::vector<TensorView> views_;
  Tensor output_;
  const std::shared_ptr<void> no_object_;
};

}  // namespace inferometer
