// Tensor shapes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace inferometer {

/// Dimensions of a tensor, at most kMaxRank of them, held in place (no allocation). In a spec a
/// dimension of -1 is free. A value type.
class Shape {
 public:
  static constexpr size_t kMaxRank = 8;
  static constexpr int64_t kFree = -1;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims)
      : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  /// Throws ShapeError if there are more than kMaxRank dimensions or one is below -1.
  explicit Shape(std::span<const int64_t> dims);

  [[nodiscard]] size_t rank() const noexcept { return rank_; }
  [[nodiscard]] int64_t operator[](size_t axis) const noexcept { return dims_[axis]; }
  void set(size_t axis, int64_t dim) noexcept { dims_[axis] = dim; }
  [[nodiscard]] std::span<const int64_t> dims() const noexcept { return {dims_.data(), rank_}; }
  /// Product of the dimensions, 1 for rank 0. Throws ShapeError if a dimension is free or the
  /// product does not fit into int64_t.
  [[nodiscard]] int64_t elements() const;
  /// The dimensions from `axis` on.
  [[nodiscard]] Shape tail(size_t axis) const noexcept;
  /// This shape with `dim` put in front. Throws ShapeError beyond kMaxRank.
  [[nodiscard]] Shape prepend(int64_t dim) const;
  /// True if `shape` has this rank and every dimension is equal or free here.
  [[nodiscard]] bool accepts(const Shape& shape) const noexcept;
  /// Python's notation: "(2, 3)", "(4,)", "()".
  [[nodiscard]] std::string to_string() const;

  bool operator==(const Shape& other) const noexcept;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  uint8_t rank_ = 0;
};

}  // namespace inferometer
