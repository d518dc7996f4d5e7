// Answers on their way to Python: which shape they take, and where the engine writes them.
#pragma once

#include <pybind11/pybind11.h>

#include <span>
#include <vector>

#include "arrays.h"
#include "callable_model.h"
#include "inferometer/engine.h"

namespace inferometer::python {

/// The shape of an answer. A value type.
struct AnswerForm {
  bool named = false;    // the inputs came as a dict: so does the answer
  bool one_row = false;  // the request was a single sample: the answer has no row axis
};

/// The answer of an ended request, in fresh arrays.
[[nodiscard]] pybind11::object answer_of(const Request& request, const OutputNames& names,
                                         AnswerForm form);

/// Fresh arrays that a call on its caller's own thread writes its answer to. Single-owner.
class ArraySink final : public AnswerSink {
 public:
  explicit ArraySink(AnswerForm form) : form_(form) {}
  /// Makes the arrays beforehand, so that the GIL is not needed for them, if `specs` say how large
  /// they are for `rows` rows; else output() takes the GIL and makes each.
  void prepare(std::span<const TensorSpec> specs, int64_t rows);
  MutableTensorView output(size_t index, DType dtype, const Shape& shape) override;
  /// What was written.
  [[nodiscard]] pybind11::object answer(const OutputNames& names) const;

 private:
  struct Output {
    pybind11::array array = pybind11::reinterpret_steal<pybind11::array>(nullptr);
    DType dtype = DType::kFloat32;
    Shape shape;
  };
  void add(DType dtype, const Shape& shape);
  [[nodiscard]] Output& at(size_t index) { return index == 0 ? first_ : others_[index - 1]; }

  const AnswerForm form_;
  size_t made_ = 0;
  // Most models have one output: in place, nothing is allocated for it.
  Output first_;
  std::vector<Output> others_;
};

}  // namespace inferometer::python
