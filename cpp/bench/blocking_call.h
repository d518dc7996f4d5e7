// How a C++ program calls an engine and waits, as the benches do it.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "inferometer/engine.h"

namespace inferometer {

/// Keeps the last answer of a model with one output. Single-owner.
class KeptAnswer final : public AnswerSink {
 public:
  MutableTensorView output(size_t /*index*/, DType dtype, const Shape& shape) override {
    if (kept_.dtype() != dtype || !(kept_.shape() == shape)) kept_ = Tensor(dtype, shape);
    return kept_.mutable_view();
  }
  [[nodiscard]] const Tensor& tensor() const noexcept { return kept_; }

 private:
  Tensor kept_;
};

/// On this thread where the engine lets us; else submits, waits, and leads a batch when asked.
/// Throws what submit() throws, and std::runtime_error for any outcome but success.
inline void blocking_call(Engine& engine, std::span<const NamedInput> inputs, AnswerSink& answer) {
  const EndedCall here = engine.try_run_here(inputs, answer);
  Outcome outcome = here.outcome;
  if (!here.ran) {
    SubmitOptions options;
    options.caller_waits = true;
    const std::shared_ptr<Request> request = engine.submit(inputs, options);
    while (!request->ended()) {
      if (request->wait() == Request::WaitStatus::kLead) engine.lead(request);
    }
    outcome = request->outcome();
    if (outcome == Outcome::kSuccess) {
      const TensorView output = request->outputs()[0];
      const MutableTensorView kept = answer.output(0, output.dtype, output.shape);
      std::copy_n(output.data, output.bytes(), kept.data);
    }
  }
  if (outcome != Outcome::kSuccess) {
    throw std::runtime_error("got outcome " + std::string(outcome_name(outcome)));
  }
}

}  // namespace inferometer
