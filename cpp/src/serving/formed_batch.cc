#include "serving/formed_batch.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"

namespace inferometer {

FormedBatch::FormedBatch(std::vector<std::shared_ptr<Request>> requests,
                         std::shared_ptr<LoadedModel> model, ReleaseReason reason,
                         std::shared_ptr<BufferPool> pool, const Clock& clock)
    : requests_(std::move(requests)),
      model_(std::move(model)),
      reason_(reason),
      pool_(std::move(pool)),
      clock_(clock) {
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
  const Request& first = *requests_.front();
  if (contiguous()) {
    segment_ = first.segment_;
    inputs_ = segment_->rows(first.row_begin_, rows_);
    return;
  }
  gathered_ = true;
  const std::vector<TensorView> like = first.segment_->rows(0, 1);
  segment_ = std::make_shared<Segment>(*pool_, like, rows_);
  int64_t row = 0;
  for (const auto& request : requests_) {
    for (size_t i = 0; i < like.size(); ++i) {
      const size_t bytes = segment_->inputs[i].row_bytes * static_cast<size_t>(request->rows_);
      if (bytes == 0) continue;
      std::memcpy(segment_->row(i, row), request->segment_->row(i, request->row_begin_), bytes);
    }
    row += request->rows_;
  }
  segment_->used = rows_;
  inputs_ = segment_->rows(0, rows_);
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
