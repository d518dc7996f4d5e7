#include "serving/segment.h"

#include <algorithm>
#include <cstring>

namespace inferometer {

Segment::Segment(BufferPool& pool, std::span<const TensorView> like, int64_t capacity_rows)
    : capacity(capacity_rows) {
  inputs.reserve(like.size());
  for (const TensorView& view : like) {
    const Shape row_shape = view.shape.tail(1);
    const size_t row_bytes = static_cast<size_t>(row_shape.elements()) * dtype_size(view.dtype);
    inputs.push_back({view.dtype, row_shape, row_bytes,
                      pool.acquire(row_bytes * static_cast<size_t>(capacity_rows))});
  }
}

bool Segment::matches(std::span<const TensorView> request) const noexcept {
  if (request.size() != inputs.size()) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& row_shape = inputs[i].row_shape;
    if (request[i].dtype != inputs[i].dtype || request[i].shape.rank() != row_shape.rank() + 1) {
      return false;
    }
    for (size_t axis = 0; axis < row_shape.rank(); ++axis) {
      if (request[i].shape[axis + 1] != row_shape[axis]) return false;
    }
  }
  return true;
}

bool Segment::matches(const Segment& other) const noexcept {
  return std::ranges::equal(inputs, other.inputs, [](const Input& a, const Input& b) {
    return a.dtype == b.dtype && a.row_shape == b.row_shape;
  });
}

void Segment::fill(int64_t first_row, std::span<const TensorView> from) const noexcept {
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t bytes = inputs[i].row_bytes * static_cast<size_t>(from[i].shape[0]);
    if (bytes > 0) std::memcpy(row(i, first_row), from[i].data, bytes);
  }
}

std::vector<TensorView> Segment::rows(int64_t begin, int64_t count) const {
  std::vector<TensorView> views;
  views.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    views.push_back({inputs[i].dtype, inputs[i].row_shape.prepend(count), row(i, begin)});
  }
  return views;
}

std::vector<TensorView> BatchOutput::rows(int64_t begin, int64_t count) const {
  std::vector<TensorView> views;
  views.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) views.push_back(rows_of(i, begin, count));
  return views;
}

TensorView BatchOutput::rows_of(size_t output, int64_t begin, int64_t count) const noexcept {
  const Output& whole = outputs[output];
  Shape shape = whole.shape;
  shape.set(0, count);
  return {whole.dtype, shape, whole.data.get() + whole.row_bytes * static_cast<size_t>(begin)};
}

}  // namespace inferometer
