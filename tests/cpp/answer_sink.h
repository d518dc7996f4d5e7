// A caller's memory for the answer to a call that may run on its own thread.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

#include "inferometer/engine.h"
#include "inferometer/tensor.h"

namespace inferometer {

/// Keeps every output; throws `refuse` instead, if it is set. Single-owner.
class AnswerMemory final : public AnswerSink {
 public:
  MutableTensorView output(size_t /*index*/, DType dtype, const Shape& shape) override {
    if (refuse) std::rethrow_exception(refuse);
    return outputs_.emplace_back(std::make_unique<Tensor>(dtype, shape))->mutable_view();
  }

  [[nodiscard]] size_t size() const noexcept { return outputs_.size(); }
  [[nodiscard]] TensorView view(size_t index) const { return outputs_.at(index)->view(); }
  [[nodiscard]] const std::byte* data(size_t index) const { return view(index).data; }

  std::exception_ptr refuse;

 private:
  std::vector<std::unique_ptr<Tensor>> outputs_;
};

}  // namespace inferometer
