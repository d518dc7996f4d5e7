#include "serving/buffer_pool.h"

#include <bit>
#include <new>

namespace inferometer {
namespace {

constexpr size_t kSmallest = 64;
constexpr std::align_val_t kAlignment{64};

constexpr size_t class_bytes(size_t size_class) { return kSmallest << size_class; }

constexpr size_t class_of(size_t bytes) {
  return bytes <= kSmallest ? 0 : static_cast<size_t>(std::bit_width((bytes - 1) / kSmallest));
}
static_assert(class_of(64) == 0 && class_of(65) == 1 && class_of(128) == 1 && class_of(129) == 2);

}  // namespace

std::shared_ptr<BufferPool> BufferPool::create(size_t max_cached_bytes) {
  return std::shared_ptr<BufferPool>(new BufferPool(max_cached_bytes));
}

BufferPool::~BufferPool() {
  for (size_t size_class = 0; size_class < kClasses; ++size_class) {
    for (std::byte* data : cached_[size_class]) release(data, size_class);
  }
}

std::shared_ptr<std::byte> BufferPool::acquire(size_t bytes) {
  const size_t size_class = class_of(bytes);
  if (size_class >= kClasses) throw std::bad_alloc();
  std::byte* data = nullptr;
  {
    MutexLock lock(mutex_);
    auto& cached = cached_[size_class];
    if (!cached.empty()) {
      data = cached.back();
      cached.pop_back();
      cached_bytes_ -= class_bytes(size_class);
    }
  }
  if (data == nullptr) {
    data = static_cast<std::byte*>(::operator new(class_bytes(size_class), kAlignment));
    allocated_bytes_.fetch_add(class_bytes(size_class), std::memory_order_relaxed);
  }
  // The deleter keeps the pool alive for as long as a buffer is out. If allocating the control
  // block throws, shared_ptr calls the deleter.
  return {data, [pool = shared_from_this(), size_class](std::byte* returned) {
            pool->recycle(returned, size_class);
          }};
}

void BufferPool::recycle(std::byte* data, size_t size_class) noexcept {
  {
    MutexLock lock(mutex_);
    bool keep = cached_bytes_ + class_bytes(size_class) <= max_cached_bytes_;
    if (keep) {
      try {
        cached_[size_class].push_back(data);
        cached_bytes_ += class_bytes(size_class);
      } catch (const std::bad_alloc&) {
        keep = false;  // no room to remember it
      }
    }
    if (keep) return;
  }
  release(data, size_class);
}

void BufferPool::release(std::byte* data, size_t size_class) noexcept {
  allocated_bytes_.fetch_sub(class_bytes(size_class), std::memory_order_relaxed);
  ::operator delete(data, kAlignment);
}

size_t BufferPool::allocated_bytes() const noexcept {
  return allocated_bytes_.load(std::memory_order_relaxed);
}

}  // namespace inferometer
