// A list of requests that are linked through themselves.
#pragma once

#include "inferometer/request.h"

namespace inferometer {

/// Adds at the end and takes out anywhere in constant time, without memory of its own. `kLinks`
/// says which of the requests' links it uses. Does not own the requests. Single-owner.
template <auto kLinks>
class RequestList {
 public:
  [[nodiscard]] Request* first() const noexcept { return first_; }
  [[nodiscard]] static Request* after(const Request& request) noexcept {
    return (request.*kLinks).next;
  }
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  /// Puts `request` before the first one behind which it does not belong, looking from the end:
  /// at the end, unless `comes_before(request, other)`.
  template <typename Before>
  void insert(Request& request, Before comes_before) noexcept {
    Request* behind = last_;
    while (behind != nullptr && comes_before(request, *behind)) behind = (behind->*kLinks).previous;
    Request* const next = behind != nullptr ? (behind->*kLinks).next : first_;
    (request.*kLinks).previous = behind;
    (request.*kLinks).next = next;
    (behind != nullptr ? (behind->*kLinks).next : first_) = &request;
    (next != nullptr ? (next->*kLinks).previous : last_) = &request;
  }
  void append(Request& request) noexcept {
    insert(request, [](const Request&, const Request&) { return false; });
  }
  void remove(Request& request) noexcept {
    auto& links = request.*kLinks;
    (links.previous != nullptr ? (links.previous->*kLinks).next : first_) = links.next;
    (links.next != nullptr ? (links.next->*kLinks).previous : last_) = links.previous;
    links = {};
  }

 private:
  Request* first_ = nullptr;
  Request* last_ = nullptr;
};

}  // namespace inferometer
