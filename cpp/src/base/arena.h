// Telemetry memory: one flat range of 64-bit words, addressed by offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "base/mutex.h"
#include "base/word.h"

namespace inferometer {

/// Hands out runs of zeroed words from one reserved mapping. The base never moves and words never
/// change their offset; address space is reserved at once, memory is committed by first use.
/// Nothing in the arena points into the arena, so that shared memory can back it. Every run starts
/// on a cache line of its own, so recorders of different runs do not slow each other down.
/// Thread-safe; reading and writing the words themselves is up to their owners.
class Arena {
 public:
  static constexpr size_t kDefaultBytes = size_t{64} << 20;
  static constexpr size_t kLineWords = 8;

  /// Throws ConfigError if `bytes` is less than a cache line or cannot be reserved.
  explicit Arena(size_t bytes = kDefaultBytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// The offset of `words` zeroed words (a cache line for 0). Throws ConfigError if there is no
  /// room.
  [[nodiscard]] uint64_t allocate(size_t words) EXCLUDES(mutex_);
  /// Gives a run back, with the size that it was allocated with. Nobody may use it any more.
  void free(uint64_t offset, size_t words) noexcept EXCLUDES(mutex_);

  [[nodiscard]] Word* at(uint64_t offset) const noexcept { return base_ + offset; }
  [[nodiscard]] uint64_t offset_of(const Word* word) const noexcept {
    return static_cast<uint64_t>(word - base_);
  }
  /// Words that are allocated now, rounded up to lines.
  [[nodiscard]] size_t used_words() const EXCLUDES(mutex_);

  /// For fork() only: holds allocation still while the process is copied.
  void lock_for_fork() ACQUIRE(mutex_) { mutex_.lock(); }
  void unlock_after_fork() RELEASE(mutex_) { mutex_.unlock(); }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  [[nodiscard]] uint64_t take(size_t words) EXCLUDES(mutex_);

  // Constant after construction.
  Word* base_ = nullptr;
  size_t capacity_ = 0;

  mutable Mutex mutex_;
  size_t end_ GUARDED_BY(mutex_) = 0;  // first word never allocated
  size_t used_ GUARDED_BY(mutex_) = 0;
  // The first freed run of each size; its first word holds the offset of the next one, so that
  // freeing never needs memory.
  std::map<size_t, uint64_t> free_ GUARDED_BY(mutex_);
};

}  // namespace inferometer
