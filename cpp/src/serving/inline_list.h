// A short list without an allocation.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace inferometer {

/// Keeps up to `kInPlace` elements in itself, more in a vector. What it does not hold yet costs
/// nothing: not even zeros. Single-owner.
template <typename T, size_t kInPlace>
class InlineList {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  InlineList() noexcept {}  // NOLINT(modernize-use-equals-default): leaves few_ alone
  explicit InlineList(size_t size) {
    for (size_t i = 0; i < size; ++i) push_back(T());
  }

  void push_back(const T& element) {
    if (size_ < kInPlace) {
      std::construct_at(&few_.elements[size_], element);
    } else {
      if (size_ == kInPlace) more_.assign(begin(), end());
      more_.push_back(element);
    }
    ++size_;
  }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] T* data() noexcept {
    return size_ > kInPlace ? more_.data() : few_.elements.data();
  }
  [[nodiscard]] const T* data() const noexcept {
    return size_ > kInPlace ? more_.data() : few_.elements.data();
  }
  [[nodiscard]] T& operator[](size_t index) noexcept { return data()[index]; }
  [[nodiscard]] const T& operator[](size_t index) const noexcept { return data()[index]; }
  [[nodiscard]] const T& front() const noexcept { return *data(); }
  [[nodiscard]] const T* begin() const noexcept { return data(); }
  [[nodiscard]] const T* end() const noexcept { return data() + size_; }
  // NOLINTNEXTLINE(google-explicit-constructor): a list may be read as a span
  operator std::span<const T>() const noexcept { return {data(), size_}; }

 private:
  union Few {
    Few() noexcept {}  // NOLINT(modernize-use-equals-default): no element is alive yet
    std::array<T, kInPlace> elements;
  };

  size_t size_ = 0;
  Few few_;
  std::vector<T> more_;
};

}  // namespace inferometer
