// A batch with the model: contiguous rows in, outputs out, and its requests.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "inferometer/batching.h"
#include "inferometer/clock.h"
#include "inferometer/executable.h"
#include "inferometer/request.h"
#include "serving/buffer_pool.h"
#include "serving/inline_list.h"
#include "serving/loaded_model.h"
#include "serving/output_check.h"
#include "serving/segment.h"

namespace inferometer {

/// Requests taken from the queue, in order, as the batch that Executable::run() sees. If their rows
/// lie side by side in one segment the model reads them there; rows from several segments, or
/// around the hole that a cancelled request left, are gathered first. Single-owner: the thread that
/// runs the batch.
class FormedBatch final : public Batch {
 public:
  /// `clock` outlives the batch. `padding`: requests may differ along its axis.
  FormedBatch(std::vector<std::shared_ptr<Request>> requests, std::shared_ptr<LoadedModel> model,
              ReleaseReason reason, std::shared_ptr<BufferPool> pool, const Clock& clock,
              std::optional<Padding> padding = std::nullopt);

  /// Waits until every submitter has copied its rows, then makes the inputs contiguous and, with
  /// padding, equally long. Before this
  /// inputs() is empty. `input_specs` outlive the batch. Throws std::bad_alloc.
  void gather(std::span<const TensorSpec> input_specs);
  /// Throws ModelError if the model broke its contract: outputs missing, another number of rows
  /// than rows(), or other dtypes than `outputs` says (empty: anything goes).
  void check_outputs(std::span<const TensorSpec> outputs) const;

  /// What the model has answered so far, if its answers are tensors.
  [[nodiscard]] InlineList<OutputShape, 2> output_shapes() const;

  [[nodiscard]] const std::vector<std::shared_ptr<Request>>& taken() const noexcept {
    return requests_;
  }
  /// The model that its requests were accepted for, until let_go_of_model().
  [[nodiscard]] LoadedModel& model() const noexcept { return *model_; }
  void let_go_of_model() noexcept { model_.reset(); }
  [[nodiscard]] ReleaseReason reason() const noexcept { return reason_; }
  /// True if gather() had to copy rows.
  [[nodiscard]] bool gathered() const noexcept { return gathered_; }
  /// When the model said that it had computed; none if it did not.
  [[nodiscard]] std::optional<int64_t> computed_at_ns() const noexcept { return computed_at_ns_; }
  /// What of the model's time it spent on bringing inputs to a device and answers back.
  [[nodiscard]] int64_t copied_in_ns() const noexcept { return copied_in_ns_; }
  [[nodiscard]] int64_t copied_out_ns() const noexcept { return copied_out_ns_; }
  /// Elements of all inputs, and how many of them only fill up; counted where there is padding.
  [[nodiscard]] int64_t elements() const noexcept { return elements_; }
  [[nodiscard]] int64_t padding_elements() const noexcept { return padding_elements_; }
  [[nodiscard]] const std::shared_ptr<BatchOutput>& output() const noexcept { return output_; }
  /// Cuts the outputs to each request's own length, where the padding says so; before answer_of().
  /// Throws std::bad_alloc.
  void trim_outputs();
  /// The answer of a request whose rows begin at `row` of the batch: outputs, and where it begins
  /// in them.
  using Answer = std::pair<std::shared_ptr<const BatchOutput>, int64_t>;
  [[nodiscard]] Answer answer_of(size_t request, int64_t row) const noexcept {
    if (trimmed_.empty()) return {output_, row};
    return {trimmed_[request], 0};
  }
  /// True if the requests carry objects instead of tensors.
  [[nodiscard]] bool opaque() const noexcept { return opaque_; }
  [[nodiscard]] const std::shared_ptr<void>& result_object(size_t request) const noexcept {
    return result_objects_[request];
  }

  /// What the model failed this request with; null if it did not.
  [[nodiscard]] const std::exception_ptr& error_of(size_t request) const noexcept;

  [[nodiscard]] int64_t rows() const noexcept override { return rows_; }
  [[nodiscard]] std::span<const TensorView> inputs() const noexcept override { return inputs_; }
  [[nodiscard]] std::span<const TensorSpec> input_specs() const noexcept override {
    return input_specs_;
  }
  [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return segment_; }
  MutableTensorView allocate_output(size_t index, DType dtype, const Shape& shape) override;
  void computed() noexcept override;
  void copied(int64_t input_ns, int64_t output_ns) noexcept override {
    copied_in_ns_ = input_ns;
    copied_out_ns_ = output_ns;
  }
  [[nodiscard]] size_t requests() const noexcept override { return requests_.size(); }
  [[nodiscard]] const std::shared_ptr<void>& object(size_t request) const noexcept override;
  void set_result_object(size_t request, std::shared_ptr<void> result) override;
  void fail(size_t request, std::exception_ptr error) override;

 private:
  [[nodiscard]] bool contiguous() const noexcept;
  // The rows of all requests, one after the other, in a segment of this batch's own.
  void gather_rows();
  void gather_padded(const Padding& padding);
  // How long a request is along `axis`, by its first input that has it; 0: none has.
  [[nodiscard]] static int64_t length_of(const Request& request, size_t axis) noexcept;
  // Rows of the outputs, those of `length` along `axis` cut to `own_length`.
  [[nodiscard]] std::shared_ptr<const BatchOutput> trimmed(int64_t row, int64_t rows, size_t axis,
                                                           int64_t length,
                                                           int64_t own_length) const;

  const std::vector<std::shared_ptr<Request>> requests_;
  std::shared_ptr<LoadedModel> model_;
  const ReleaseReason reason_;
  const std::shared_ptr<BufferPool> pool_;
  const Clock& clock_;
  const std::optional<Padding> padding_;
  int64_t elements_ = 0;
  int64_t padding_elements_ = 0;
  int64_t rows_ = 0;
  bool opaque_ = false;
  bool gathered_ = false;
  std::optional<int64_t> computed_at_ns_;
  int64_t copied_in_ns_ = 0;
  int64_t copied_out_ns_ = 0;
  std::shared_ptr<Segment> segment_;
  std::vector<TensorView> inputs_;
  std::span<const TensorSpec> input_specs_;
  std::shared_ptr<BatchOutput> output_ = std::make_shared<BatchOutput>();
  std::vector<std::shared_ptr<const BatchOutput>> trimmed_;  // by request; empty: not trimmed
  std::vector<std::shared_ptr<void>> result_objects_;
  std::vector<std::exception_ptr> errors_;  // of single requests; empty as long as none has failed
};

}  // namespace inferometer
