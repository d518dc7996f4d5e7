#include "serving/formed_batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/padding.h"

namespace inferometer {

FormedBatch::FormedBatch(std::vector<std::shared_ptr<Request>> requests,
                         std::shared_ptr<LoadedModel> model, ReleaseReason reason,
                         std::shared_ptr<BufferPool> pool, const Clock& clock,
                         std::optional<Padding> padding)
    : requests_(std::move(requests)),
      model_(std::move(model)),
      reason_(reason),
      pool_(std::move(pool)),
      clock_(clock),
      padding_(std::move(padding)) {
  for (const auto& request : requests_) rows_ += request->rows_;
  opaque_ = requests_.front()->segment_->inputs.empty();
  if (opaque_) result_objects_.resize(requests_.size());
}

bool FormedBatch::contiguous() const noexcept {
  const Request& first = *requests_.front();
  int64_t next_row = first.row_begin_;
  for (const auto& request : requests_) {
    if (request->segment_ != first.segment_ || request->row_begin_ != next_row) return false;
    next_row += request->rows_;
  }
  return true;
}

void FormedBatch::gather(std::span<const TensorSpec> input_specs) {
  input_specs_ = input_specs;
  for (const auto& request : requests_) Ending::wait_filled(*request);
  if (contiguous()) {
    const Request& first = *requests_.front();
    segment_ = first.segment_;
    inputs_ = segment_->rows(first.row_begin_, rows_);
  } else {
    gathered_ = true;
    if (padding_) {
      gather_padded(*padding_);
    } else {
      gather_rows();
    }
    segment_->used = rows_;
    inputs_ = segment_->rows(0, rows_);
  }
  if (!padding_) return;
  for (const TensorView& input : inputs_) elements_ += input.shape.elements();
  padding_elements_ = elements_;
  for (const auto& request : requests_) {
    for (const TensorView& own : request->segment_->rows(0, request->rows_)) {
      padding_elements_ -= own.shape.elements();
    }
  }
}

void FormedBatch::gather_rows() {
  segment_ = std::make_shared<Segment>(*pool_, requests_.front()->segment_->rows(0, 1), rows_);
  int64_t row = 0;
  for (const auto& request : requests_) {
    segment_->fill(row, request->segment_->rows(request->row_begin_, request->rows_));
    row += request->rows_;
  }
}

void FormedBatch::gather_padded(const Padding& padding) {
  const auto axis = static_cast<size_t>(padding.axis);
  std::vector<TensorView> like = requests_.front()->segment_->rows(0, 1);
  for (const auto& request : requests_) {
    const std::vector<TensorView> own = request->segment_->rows(0, 1);
    for (size_t i = 0; i < like.size(); ++i) {
      if (axis < like[i].shape.rank()) {
        like[i].shape.set(axis, std::max(like[i].shape[axis], own[i].shape[axis]));
      }
    }
  }
  segment_ = std::make_shared<Segment>(*pool_, like, rows_);
  int64_t row = 0;
  for (const auto& request : requests_) {
    const std::vector<TensorView> own =
        request->segment_->rows(request->row_begin_, request->rows_);
    for (size_t i = 0; i < like.size(); ++i) {
      Shape shape = like[i].shape;
      shape.set(0, request->rows_);
      // Along an axis that an input does not have there is nothing to fill: its rows are the axis.
      copy_along(axis < shape.rank() ? axis : 0, own[i],
                 {like[i].dtype, shape, segment_->row(i, row)}, padding.value);
    }
    row += request->rows_;
  }
}

int64_t FormedBatch::length_of(const Request& request, size_t axis) noexcept {
  for (const Segment::Input& input : request.segment_->inputs) {
    // The segment's row shapes lack the row axis.
    if (axis <= input.row_shape.rank()) return input.row_shape[axis - 1];
  }
  return 0;
}

void FormedBatch::trim_outputs() {
  if (!padding_ || !padding_->trim_outputs || opaque_) return;
  const auto axis = static_cast<size_t>(padding_->axis);
  int64_t length = 0;  // of the batch
  for (const auto& request : requests_) length = std::max(length, length_of(*request, axis));
  int64_t row = 0;
  std::vector<std::shared_ptr<const BatchOutput>> trimmed_outputs;
  for (const auto& request : requests_) {
    trimmed_outputs.push_back(
        trimmed(row, request->rows_, axis, length, length_of(*request, axis)));
    row += request->rows_;
  }
  trimmed_ = std::move(trimmed_outputs);
}

std::shared_ptr<const BatchOutput> FormedBatch::trimmed(int64_t row, int64_t rows, size_t axis,
                                                        int64_t length, int64_t own_length) const {
  auto answer = std::make_shared<BatchOutput>();
  for (const TensorView& from : output_->rows(row, rows)) {
    const size_t cut = axis < from.shape.rank() && from.shape[axis] == length ? axis : 0;
    Shape shape = from.shape;
    if (cut > 0) shape.set(cut, own_length);
    const size_t row_bytes = static_cast<size_t>(shape.tail(1).elements()) * dtype_size(from.dtype);
    auto data = pool_->acquire(row_bytes * static_cast<size_t>(rows));
    copy_along(cut, from, {from.dtype, shape, data.get()}, 0);
    answer->outputs.push_back({from.dtype, shape, row_bytes, std::move(data)});
  }
  return answer;
}

MutableTensorView FormedBatch::allocate_output(size_t index, DType dtype, const Shape& shape) {
  check_next_output(index, output_->outputs.size(), shape, rows_);
  const size_t row_bytes = static_cast<size_t>(shape.tail(1).elements()) * dtype_size(dtype);
  auto data = pool_->acquire(static_cast<size_t>(shape.elements()) * dtype_size(dtype));
  output_->outputs.push_back({dtype, shape, row_bytes, std::move(data)});
  return {dtype, shape, output_->outputs.back().data.get()};
}

void FormedBatch::computed() noexcept { computed_at_ns_ = clock_.now_ns(); }

const std::shared_ptr<void>& FormedBatch::object(size_t request) const noexcept {
  return requests_[request]->object_;
}

void FormedBatch::set_result_object(size_t request, std::shared_ptr<void> result) {
  if (!opaque_) throw ModelError("the model answered tensors with objects, want tensors");
  result_objects_[request] = std::move(result);
}

void FormedBatch::fail(size_t request, std::exception_ptr error) {
  if (errors_.empty()) errors_.resize(requests_.size());
  errors_[request] = std::move(error);
}

const std::exception_ptr& FormedBatch::error_of(size_t request) const noexcept {
  static const std::exception_ptr none;
  return errors_.empty() ? none : errors_[request];
}

void FormedBatch::check_outputs(std::span<const TensorSpec> outputs) const {
  if (opaque_) {
    size_t answered = 0;
    for (size_t i = 0; i < requests_.size(); ++i) {
      if (result_objects_[i] != nullptr || error_of(i) != nullptr) ++answered;
    }
    if (answered != requests_.size()) {
      throw ModelError("the model answered " + std::to_string(answered) + " of " +
                       std::to_string(requests_.size()) + " items");
    }
    return;
  }
  check_all_outputs(output_shapes(), rows_, outputs);
}

InlineList<OutputShape, 2> FormedBatch::output_shapes() const {
  InlineList<OutputShape, 2> shapes;
  for (const BatchOutput::Output& output : output_->outputs) {
    shapes.push_back({output.dtype, output.shape});
  }
  return shapes;
}

}  // namespace inferometer
