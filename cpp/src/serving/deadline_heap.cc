#include "serving/deadline_heap.h"

namespace inferometer {

void DeadlineHeap::set(Request& request, int64_t due_ns) {
  if (due_ns == kNever) {
    remove(request);
    return;
  }
  if (request.due_index_ == Request::kNotDue) {
    heap_.push_back({});
    sift(heap_.size() - 1, {due_ns, &request});
  } else {
    sift(request.due_index_, {due_ns, &request});
  }
}

void DeadlineHeap::remove(Request& request) noexcept {
  const size_t index = request.due_index_;
  if (index == Request::kNotDue) return;
  request.due_index_ = Request::kNotDue;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index < heap_.size()) sift(index, last);
}

Request* DeadlineHeap::pop(int64_t now_ns) noexcept {
  if (earliest_ns() > now_ns || heap_.empty()) return nullptr;
  Request* const first = heap_.front().request;
  remove(*first);
  return first;
}

void DeadlineHeap::place(size_t index, const Entry& entry) noexcept {
  heap_[index] = entry;
  entry.request->due_index_ = index;
}

// Puts `entry` where the hole at `index` may go, up or down.
void DeadlineHeap::sift(size_t index, const Entry& entry) noexcept {
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (heap_[parent].due_ns <= entry.due_ns) break;
    place(index, heap_[parent]);
    index = parent;
  }
  for (size_t child = 2 * index + 1; child < heap_.size(); child = 2 * index + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1].due_ns < heap_[child].due_ns) ++child;
    if (entry.due_ns <= heap_[child].due_ns) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

}  // namespace inferometer
