#include "answer.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "gil.h"
#include "inferometer/errors.h"
#include "inferometer/request.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// An array for rows of `shape`, in the form that its caller gets.
py::array array_for(DType dtype, const Shape& shape, AnswerForm form) {
  return fresh_array(dtype, shape.dims().subspan(form.one_row ? 1 : 0));
}

// The array itself; numpy's scalar for what has no dimensions, as indexing gives it.
py::object handed_over(py::array array) {
  if (array.ndim() != 0) return array;
  return array[py::tuple()];
}

template <typename ArrayAt>
py::object formed(const OutputNames& names, AnswerForm form, size_t count, ArrayAt&& array_at) {
  // A request from before swap() may have been answered by a model that declared nothing.
  if (count != names.names.size()) {
    throw ModelError("the model returned " + std::to_string(count) + " outputs, want " +
                     std::to_string(names.names.size()));
  }
  if (names.bare && !form.named) return handed_over(array_at(0));
  py::dict answer;
  for (size_t i = 0; i < count; ++i) answer[py::str(names.names[i])] = handed_over(array_at(i));
  return answer;
}

}  // namespace

py::object answer_of(const Request& request, const OutputNames& names, AnswerForm form) {
  return formed(names, form, request.output_count(), [&](size_t i) {
    const TensorView output = request.output(i);
    py::array array = array_for(output.dtype, output.shape, form);
    const size_t bytes = output.bytes();
    if (bytes > 0) std::memcpy(array.mutable_data(), output.data, bytes);
    return array;
  });
}

void ArraySink::prepare(std::span<const TensorSpec> specs, int64_t rows) {
  const auto known = [](const TensorSpec& spec) {
    return spec.shape.rank() > 0 &&
           std::ranges::none_of(spec.shape.dims().subspan(1), [](int64_t dim) { return dim < 0; });
  };
  if (!std::ranges::all_of(specs, known)) return;
  for (const TensorSpec& spec : specs) {
    Shape shape = spec.shape;
    shape.set(0, rows);
    add(spec.dtype, shape);
  }
}

void ArraySink::add(DType dtype, const Shape& shape) {
  Output made{array_for(dtype, shape, form_), dtype, shape};
  if (made_++ == 0) {
    first_ = std::move(made);
  } else {
    others_.push_back(std::move(made));
  }
}

MutableTensorView ArraySink::output(size_t index, DType dtype, const Shape& shape) {
  if (index >= made_) {
    const OnPythonThread gil;
    add(dtype, shape);
  }
  const Output& into = at(index);
  if (into.dtype != dtype || !(into.shape == shape)) {
    throw ModelError("the model broke its contract: output " + std::to_string(index) + " is " +
                     std::string(dtype_name(dtype)) + " of shape " + shape.to_string() + ", want " +
                     std::string(dtype_name(into.dtype)) + " of shape " + into.shape.to_string());
  }
  // Read, not asked for: this may run without the GIL.
  return {dtype, shape,
          reinterpret_cast<std::byte*>(py::detail::array_proxy(into.array.ptr())->data)};
}

py::object ArraySink::answer(const OutputNames& names) const {
  return formed(names, form_, made_,
                [&](size_t i) { return i == 0 ? first_.array : others_[i - 1].array; });
}

}  // namespace inferometer::python
