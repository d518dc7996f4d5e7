#include "inferometer/completion_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "inferometer/errors.h"
#include "inferometer/request.h"

namespace inferometer {

struct CompletionQueue::Impl {
  int fd = -1;
  mutable Mutex mutex;
  std::vector<std::shared_ptr<Request>> ended GUARDED_BY(mutex);
  uint64_t wakeups GUARDED_BY(mutex) = 0;
};

CompletionQueue::CompletionQueue() : impl_(std::make_unique<Impl>()) {
  impl_->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (impl_->fd < 0) {
    throw Error(std::string("cannot create an eventfd for the event loop: ") +
                std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe
  }
}

CompletionQueue::~CompletionQueue() { close(impl_->fd); }

int CompletionQueue::fd() const noexcept { return impl_->fd; }

void CompletionQueue::push(std::span<const std::shared_ptr<Request>> ended) {
  if (ended.empty()) return;
  MutexLock lock(impl_->mutex);
  const bool signal = impl_->ended.empty();
  impl_->ended.insert(impl_->ended.end(), ended.begin(), ended.end());
  if (!signal) return;
  ++impl_->wakeups;
  // Under the lock, so that take() never leaves fd() readable with nothing to take. The counter
  // cannot overflow: take() resets it before the next write.
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(impl_->fd, &one, sizeof(one));
}

std::vector<std::shared_ptr<Request>> CompletionQueue::take() {
  MutexLock lock(impl_->mutex);
  uint64_t count = 0;
  // It is made with EFD_NONBLOCK.
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
  [[maybe_unused]] const auto got = read(impl_->fd, &count, sizeof(count));
  return std::exchange(impl_->ended, {});
}

uint64_t CompletionQueue::wakeups() const noexcept {
  MutexLock lock(impl_->mutex);
  return impl_->wakeups;
}

}  // namespace inferometer
