// Memory of a backend with an owner.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "backend/backend.h"

namespace inferometer {

/// Owns bytes that two methods of a backend hand out and take back, or nothing. Movable.
/// Single-owner.
template <auto Allocate, auto Deallocate>
class BackendBuffer {
 public:
  BackendBuffer() = default;
  BackendBuffer(std::shared_ptr<Backend> backend, size_t bytes)
      : backend_(std::move(backend)), data_((backend_.get()->*Allocate)(bytes)), bytes_(bytes) {}
  BackendBuffer(BackendBuffer&& other) noexcept { swap(other); }
  BackendBuffer& operator=(BackendBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~BackendBuffer() {
    if (data_ != nullptr) (backend_.get()->*Deallocate)(data_, bytes_);
  }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }

 private:
  void swap(BackendBuffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::shared_ptr<Backend> backend_;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

/// On the device.
using DeviceBuffer = BackendBuffer<&Backend::allocate, &Backend::deallocate>;
/// On the host, for a stream's copies.
using StagingBuffer = BackendBuffer<&Backend::allocate_staging, &Backend::deallocate_staging>;

}  // namespace inferometer
