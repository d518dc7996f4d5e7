// A batch of one request, on its caller's thread and memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/engine.h"
#include "inferometer/executable.h"
#include "serving/inline_list.h"
#include "serving/output_check.h"
#include "serving/segment.h"

namespace inferometer {

/// What Executable::run() sees of a caller that found an idle instance: its own rows, and for the
/// outputs the memory that the caller gave. Nothing is allocated. Single-owner.
class LoneBatch final : public Batch {
 public:
  /// `inputs`, `specs`, `answer` and `clock` outlive the batch. `copy`: the model may keep its
  /// inputs, which the caller may change: it gets a copy of them, held by this segment. Else null.
  LoneBatch(std::span<const TensorView> inputs, std::span<const TensorSpec> specs,
            AnswerSink& answer, const Clock& clock, std::shared_ptr<Segment> copy);

  /// What the model has answered so far.
  [[nodiscard]] std::span<const OutputShape> outputs() const noexcept { return outputs_; }
  /// When the model said that it had computed, in the clock's ticks; none if it did not.
  [[nodiscard]] std::optional<int64_t> computed_at() const noexcept { return computed_at_; }
  /// What of the model's time it spent on bringing inputs to a device and answers back.
  [[nodiscard]] int64_t copied_in_ns() const noexcept { return copied_in_ns_; }
  [[nodiscard]] int64_t copied_out_ns() const noexcept { return copied_out_ns_; }

  [[nodiscard]] int64_t rows() const noexcept override { return inputs_.front().shape[0]; }
  [[nodiscard]] std::span<const TensorView> inputs() const noexcept override {
    return copy_ ? std::span<const TensorView>(copied_) : inputs_;
  }
  [[nodiscard]] std::span<const TensorSpec> input_specs() const noexcept override { return specs_; }
  [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return copy_; }
  MutableTensorView allocate_output(size_t index, DType dtype, const Shape& shape) override;
  void computed() noexcept override { computed_at_ = clock_.ticks(); }
  void copied(int64_t input_ns, int64_t output_ns) noexcept override {
    copied_in_ns_ = input_ns;
    copied_out_ns_ = output_ns;
  }
  [[nodiscard]] size_t requests() const noexcept override { return 1; }
  [[nodiscard]] const std::shared_ptr<void>& object(size_t request) const noexcept override;
  void set_result_object(size_t request, std::shared_ptr<void> result) override;

 private:
  const std::span<const TensorView> inputs_;
  const std::span<const TensorSpec> specs_;
  AnswerSink& answer_;
  const Clock& clock_;
  const std::shared_ptr<Segment> copy_;
  std::vector<TensorView> copied_;
  InlineList<OutputShape, 2> outputs_;
  std::optional<int64_t> computed_at_;
  int64_t copied_in_ns_ = 0;
  int64_t copied_out_ns_ = 0;
};

}  // namespace inferometer
