// The device seam, first half: a device, its memory, and streams that compute on it (stream.h).
// Everything above it works with any device; everything below it works with device pointers and
// plain numbers (operations.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "backend/operations.h"
#include "backend/stream.h"

namespace inferometer {

/// A device. Pointers are device pointers unless a name says host. Methods throw DeviceError if the
/// device fails or has no memory left, std::bad_alloc if the host has none. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// True if device pointers are host pointers, so that operations may read inputs and write
  /// outputs where the caller has them.
  [[nodiscard]] virtual bool uses_host_memory() const noexcept = 0;
  /// False once the device has failed in a way that every later call fails too. Never true again: a
  /// device that came back is another Backend.
  [[nodiscard]] virtual bool healthy() const noexcept { return true; }

  /// At least one byte, 64-byte aligned, uninitialised.
  [[nodiscard]] virtual std::byte* allocate(size_t bytes) = 0;
  virtual void deallocate(std::byte* data, size_t bytes) noexcept = 0;
  /// Host memory that a stream copies from and to while the host goes on.
  [[nodiscard]] virtual std::byte* allocate_staging(size_t bytes) = 0;
  virtual void deallocate_staging(std::byte* host, size_t bytes) noexcept = 0;

  /// Operations made on it run in their order, and beside those of other streams.
  [[nodiscard]] virtual std::unique_ptr<Stream> make_stream() = 0;
  /// Device memory that each stream has for itself.
  [[nodiscard]] virtual size_t stream_bytes() const noexcept { return 0; }

  /// Writes a constant; it is there when this returns.
  virtual void load(std::byte* device, const std::byte* host, size_t bytes) = 0;
  /// Weights of Stream::gemm() are kept in whatever order suits the device: so many bytes, written
  /// from host memory (in the order that Gemm says) once, when a model is compiled.
  [[nodiscard]] virtual size_t gemm_weights_bytes(const Gemm& op) const = 0;
  virtual void load_gemm_weights(const Gemm& op, const float* host, std::byte* device) = 0;
  /// Scratch memory that Stream::conv2d() needs for `rows` rows. Never falls with `rows`.
  [[nodiscard]] virtual size_t conv2d_workspace_bytes(const Conv2d& op, int64_t rows) const = 0;
};

}  // namespace inferometer
