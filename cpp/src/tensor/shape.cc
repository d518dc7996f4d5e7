#include "inferometer/shape.h"

#include <algorithm>

#include "inferometer/errors.h"

namespace inferometer {

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    throw ShapeError("got a shape with " + std::to_string(dims.size()) + " dimensions, at most " +
                     std::to_string(kMaxRank) + " are supported");
  }
  for (const int64_t dim : dims) {
    if (dim < kFree) {
      throw ShapeError("got dimension " + std::to_string(dim) + ", want -1 (free), 0 or more");
    }
    dims_[rank_++] = dim;
  }
}

int64_t Shape::elements() const {
  int64_t product = 1;
  for (const int64_t dim : dims()) {
    if (dim == kFree) throw ShapeError("shape " + to_string() + " has a free dimension");
    if (__builtin_mul_overflow(product, dim, &product)) {
      throw ShapeError("shape " + to_string() + " has more elements than fit into 64 bits");
    }
  }
  return product;
}

Shape Shape::tail(size_t axis) const noexcept {
  Shape shape;
  for (size_t i = axis; i < rank_; ++i) shape.dims_[shape.rank_++] = dims_[i];
  return shape;
}

Shape Shape::prepend(int64_t dim) const {
  if (rank_ == kMaxRank) {
    throw ShapeError("shape " + to_string() + " has no room for another dimension, at most " +
                     std::to_string(kMaxRank) + " are supported");
  }
  Shape shape;
  shape.dims_[shape.rank_++] = dim;
  for (size_t i = 0; i < rank_; ++i) shape.dims_[shape.rank_++] = dims_[i];
  return shape;
}

bool Shape::accepts(const Shape& shape) const noexcept {
  if (shape.rank_ != rank_) return false;
  for (size_t i = 0; i < rank_; ++i) {
    if (dims_[i] != kFree && dims_[i] != shape.dims_[i]) return false;
  }
  return true;
}

std::string Shape::to_string() const {
  std::string text = "(";
  for (size_t i = 0; i < rank_; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(dims_[i]);
  }
  if (rank_ == 1) text += ',';
  return text + ')';
}

bool Shape::operator==(const Shape& other) const noexcept {
  return std::ranges::equal(dims(), other.dims());
}

}  // namespace inferometer
