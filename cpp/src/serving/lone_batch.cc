#include "serving/lone_batch.h"

#include <utility>

#include "inferometer/errors.h"

namespace inferometer {

LoneBatch::LoneBatch(std::span<const TensorView> inputs, std::span<const TensorSpec> specs,
                     AnswerSink& answer, const Clock& clock, std::shared_ptr<Segment> copy)
    : inputs_(inputs), specs_(specs), answer_(answer), clock_(clock), copy_(std::move(copy)) {
  if (copy_) copied_ = copy_->rows(0, inputs_.front().shape[0]);
}

MutableTensorView LoneBatch::allocate_output(size_t index, DType dtype, const Shape& shape) {
  check_next_output(index, outputs_.size(), shape, rows());
  const MutableTensorView into = answer_.output(index, dtype, shape);
  outputs_.push_back({dtype, shape});
  return into;
}

const std::shared_ptr<void>& LoneBatch::object(size_t /*request*/) const noexcept {
  static const std::shared_ptr<void> none;
  return none;
}

void LoneBatch::set_result_object(size_t /*request*/, std::shared_ptr<void> /*result*/) {
  throw ModelError("the model answered tensors with objects, want tensors");
}

}  // namespace inferometer
