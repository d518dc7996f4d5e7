// Memory of a backend with an owner.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "backend/backend.h"

namespace inferometer {

/// Owns bytes on a device, or nothing. Movable. Single-owner.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(std::shared_ptr<Backend> backend, size_t bytes)
      : backend_(std::move(backend)), data_(backend_->allocate(bytes)), bytes_(bytes) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceBuffer() {
    if (data_ != nullptr) backend_->deallocate(data_, bytes_);
  }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Backend> backend_;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace inferometer
