// Requests by the time at which something is to happen to them.
#pragma once

#include <cstdint>
#include <vector>

#include "inferometer/request.h"

namespace inferometer {

/// A binary heap that knows where each request is (Request::due_index_), so that one that ends
/// early leaves in O(log n): with 100,000 deadlines ahead, neither a new one nor one that passes
/// looks at the others. Does not own the requests. Single-owner.
class DeadlineHeap {
 public:
  /// Adds a request, or moves it if it is here. kNever takes it out. Throws std::bad_alloc, and
  /// then nothing has changed.
  void set(Request& request, int64_t due_ns);
  /// Takes a request out, if it is here.
  void remove(Request& request) noexcept;
  /// The earliest time; kNever: nothing is here.
  [[nodiscard]] int64_t earliest_ns() const noexcept {
    return heap_.empty() ? kNever : heap_.front().due_ns;
  }
  /// Takes out the request with the earliest time; null if that is after `now_ns`.
  [[nodiscard]] Request* pop(int64_t now_ns) noexcept;

 private:
  struct Entry {
    int64_t due_ns;
    Request* request;
  };

  void place(size_t index, const Entry& entry) noexcept;
  void sift(size_t index, const Entry& entry) noexcept;

  std::vector<Entry> heap_;
};

}  // namespace inferometer
