// Recycled memory for rows and outputs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/mutex.h"

namespace inferometer {

/// Hands out 64-byte aligned buffers, in sizes of powers of two. A buffer returns to the pool when
/// its last owner lets go, whoever and on whatever thread that is; so memory that somebody still
/// looks at (a numpy view that survived the model's call) is never handed out again. Keeps at most
/// `max_cached_bytes` for later and gives the rest back to the system. Thread-safe.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  [[nodiscard]] static std::shared_ptr<BufferPool> create(size_t max_cached_bytes);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// At least `bytes`, uninitialised. Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<std::byte> acquire(size_t bytes);
  /// Bytes in use and cached.
  [[nodiscard]] size_t allocated_bytes() const noexcept;

 private:
  static constexpr size_t kClasses = 34;  // 64 B << class: up to 512 GiB, more is refused

  explicit BufferPool(size_t max_cached_bytes) : max_cached_bytes_(max_cached_bytes) {}
  void recycle(std::byte* data, size_t size_class) noexcept;
  void release(std::byte* data, size_t size_class) noexcept;

  const size_t max_cached_bytes_;
  std::atomic<size_t> allocated_bytes_{0};
  Mutex mutex_;
  std::array<std::vector<std::byte*>, kClasses> cached_ GUARDED_BY(mutex_);
  size_t cached_bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace inferometer
