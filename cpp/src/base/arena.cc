#include "base/arena.h"

#include <sys/mman.h>

#include <new>
#include <string>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

size_t round_up_to_lines(size_t words) noexcept {
  constexpr size_t kLine = Arena::kLineWords;
  return words == 0 ? kLine : (words + kLine - 1) / kLine * kLine;
}

}  // namespace

Arena::Arena(size_t bytes) : capacity_(bytes / sizeof(Word) / kLineWords * kLineWords) {
  if (capacity_ == 0) {
    throw ConfigError("got an arena of " + std::to_string(bytes) + " bytes, want at least " +
                      std::to_string(kLineWords * sizeof(Word)));
  }
  void* mapping = mmap(nullptr, capacity_ * sizeof(Word), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    throw ConfigError("cannot reserve " + std::to_string(bytes) + " bytes of address space");
  }
  base_ = static_cast<Word*>(mapping);
}

Arena::~Arena() { munmap(base_, capacity_ * sizeof(Word)); }

uint64_t Arena::allocate(size_t words) {
  const uint64_t offset = take(words);
  for (size_t i = 0; i < round_up_to_lines(words); ++i) new (base_ + offset + i) Word(0);
  return offset;
}

uint64_t Arena::take(size_t words) {
  MutexLock lock(mutex_);
  // Compared before it is rounded up, which may overflow.
  const size_t size = words <= capacity_ ? round_up_to_lines(words) : capacity_ + 1;
  uint64_t& freed = free_.try_emplace(size, kNone).first->second;
  uint64_t offset = freed;
  if (offset != kNone) {
    freed = at(offset)->load(std::memory_order_relaxed);
  } else if (size <= capacity_ - end_) {
    offset = end_;
    end_ += size;
  } else {
    throw ConfigError("no room for " + std::to_string(words) + " metric words: " +
                      std::to_string(used_) + " of " + std::to_string(capacity_) + " in use");
  }
  used_ += size;
  return offset;
}

void Arena::free(uint64_t offset, size_t words) noexcept {
  const size_t size = round_up_to_lines(words);
  MutexLock lock(mutex_);
  // Relaxed is enough: the list is only followed under mutex_.
  uint64_t& freed = free_.find(size)->second;
  at(offset)->store(freed, std::memory_order_relaxed);
  freed = offset;
  used_ -= size;
}

size_t Arena::used_words() const {
  MutexLock lock(mutex_);
  return used_;
}

}  // namespace inferometer
