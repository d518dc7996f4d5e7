// A short list without an allocation.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace inferometer {

/// Keeps up to `kInPlace` elements in itself, more in a vector. Single-owner.
template <typename T, size_t kInPlace>
class InlineList {
 public:
  InlineList() = default;
  explicit InlineList(size_t size) : size_(size) {
    if (size > kInPlace) more_.resize(size);
  }

  void push_back(const T& element) {
    if (size_ < kInPlace) {
      few_[size_] = element;
    } else {
      if (size_ == kInPlace) more_.assign(few_.begin(), few_.end());
      more_.push_back(element);
    }
    ++size_;
  }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] T* data() noexcept { return size_ > kInPlace ? more_.data() : few_.data(); }
  [[nodiscard]] const T* data() const noexcept {
    return size_ > kInPlace ? more_.data() : few_.data();
  }
  [[nodiscard]] T& operator[](size_t index) noexcept { return data()[index]; }
  [[nodiscard]] const T& operator[](size_t index) const noexcept { return data()[index]; }
  [[nodiscard]] const T& front() const noexcept { return *data(); }
  [[nodiscard]] const T* begin() const noexcept { return data(); }
  [[nodiscard]] const T* end() const noexcept { return data() + size_; }
  // NOLINTNEXTLINE(google-explicit-constructor): a list may be read as a span
  operator std::span<const T>() const noexcept { return {data(), size_}; }

 private:
  size_t size_ = 0;
  std::array<T, kInPlace> few_;
  std::vector<T> more_;
};

}  // namespace inferometer
