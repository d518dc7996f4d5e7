#include "serving/formed_batch.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"

namespace inferometer {

FormedBatch::FormedBatch(std::vector<std::shared_ptr<Request>> requests, ReleaseReason reason,
                         std::shared_ptr<BufferPool> pool, const Clock& clock)
    : requests_(std::move(requests)), reason_(reason), pool_(std::move(pool)), clock_(clock) {
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
  if (index != output_->outputs.size()) {
    throw ModelError("the model filled output " + std::to_string(index) + ", want output " +
                     std::to_string(output_->outputs.size()) + " next");
  }
  if (shape.rank() == 0) {
    throw ModelError("output " + std::to_string(index) + " is a scalar, want rows first: (" +
                     std::to_string(rows_) + ", ...)");
  }
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
  if (output_->outputs.empty()) throw ModelError("the model returned no output, want one or more");
  if (!outputs.empty() && outputs.size() != output_->outputs.size()) {
    throw ModelError("the model returned " + std::to_string(output_->outputs.size()) +
                     " outputs, want " + std::to_string(outputs.size()));
  }
  for (size_t i = 0; i < output_->outputs.size(); ++i) {
    const BatchOutput::Output& got = output_->outputs[i];
    const std::string name = outputs.empty() ? std::to_string(i) : outputs[i].name;
    if (got.shape[0] != rows_) {
      throw ModelError("the model returned " + std::to_string(got.shape[0]) + " rows for output " +
                       name + ", want " + std::to_string(rows_) + ", one for each input row");
    }
    if (!outputs.empty() && got.dtype != outputs[i].dtype) {
      throw ModelError("the model returned " + std::string(dtype_name(got.dtype)) + " for output " +
                       name + ", want " + std::string(dtype_name(outputs[i].dtype)));
    }
  }
}

}  // namespace inferometer
