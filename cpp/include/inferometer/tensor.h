// Tensors: one class that owns its memory, two views that never do. All are dense, C-contiguous
// (rows first) and hold the machine's byte order.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inferometer/dtype.h"
#include "inferometer/shape.h"

namespace inferometer {

/// Reads somebody else's elements; must not outlive them. A value type, const-safe.
struct TensorView {
  DType dtype = DType::kFloat32;
  Shape shape;
  const std::byte* data = nullptr;

  [[nodiscard]] size_t bytes() const {
    return static_cast<size_t>(shape.elements()) * dtype_size(dtype);
  }
  /// The elements as T. The caller vouches that T is `dtype`.
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data), static_cast<size_t>(shape.elements())};
  }
};

/// Writes somebody else's elements; must not outlive them. A value type.
struct MutableTensorView {
  DType dtype = DType::kFloat32;
  Shape shape;
  std::byte* data = nullptr;

  [[nodiscard]] size_t bytes() const {
    return static_cast<size_t>(shape.elements()) * dtype_size(dtype);
  }
  template <typename T>
  [[nodiscard]] std::span<T> as() const {
    return {reinterpret_cast<T*>(data), static_cast<size_t>(shape.elements())};
  }
  // NOLINTNEXTLINE(google-explicit-constructor): every writer may be read
  operator TensorView() const { return {dtype, shape, data}; }
};

/// Owns its elements, 64-byte aligned (a cache line and an AVX-512 register), uninitialised at
/// first. Movable, not copied by accident: use clone(). Single-owner.
class Tensor {
 public:
  static constexpr size_t kAlignment = 64;

  Tensor() = default;
  /// Throws ShapeError for a free dimension or too many elements.
  Tensor(DType dtype, const Shape& shape);
  /// A copy of the viewed elements.
  [[nodiscard]] static Tensor copy_of(const TensorView& view);
  [[nodiscard]] Tensor clone() const { return copy_of(view()); }

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] TensorView view() const noexcept { return {dtype_, shape_, data_.get()}; }
  [[nodiscard]] MutableTensorView mutable_view() noexcept { return {dtype_, shape_, data_.get()}; }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    return view().as<T>();
  }
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    return mutable_view().as<T>();
  }

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept;
  };
  DType dtype_ = DType::kFloat32;
  Shape shape_;
  size_t bytes_ = 0;
  std::unique_ptr<std::byte, Free> data_;
};

/// What a model takes or gives under one name. Dimension 0 counts rows and is free (-1), or 1 for a
/// model that takes one row at a time; other dimensions may be free too.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
};

}  // namespace inferometer
