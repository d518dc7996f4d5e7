// Where an event loop collects ended requests: one wake-up a batch, not one a request.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace inferometer {

class Request;

/// Ended requests that wait for one event loop, and an eventfd that is readable while there are
/// any. Workers push without knowing the loop (and without the GIL); the loop watches fd() and
/// takes. Thread-safe.
class CompletionQueue {
 public:
  /// Throws Error if the system has no file descriptor left.
  CompletionQueue();
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  /// Readable while requests wait to be taken. Owned by this object.
  [[nodiscard]] int fd() const noexcept;
  /// Adds requests and makes fd() readable if it was not: at most one wake-up until the next
  /// take().
  void push(std::span<const std::shared_ptr<Request>> ended);
  /// Everything pushed so far, in order; fd() is no longer readable.
  [[nodiscard]] std::vector<std::shared_ptr<Request>> take();
  /// Times that fd() was made readable: loop wake-ups caused so far.
  [[nodiscard]] uint64_t wakeups() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace inferometer
