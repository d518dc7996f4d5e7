// Which engines this thread is running.
#pragma once

#include "serving/engine_core.h"

namespace inferometer {

/// A chain of frames on the thread's stack: the model of one engine may call another engine, which
/// runs its model on the same thread. Single-owner.
class EngineCore::Frame {
 public:
  explicit Frame(const EngineCore& core) noexcept : core_(core), outer_(top()) { top() = this; }
  ~Frame() { top() = outer_; }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  [[nodiscard]] static bool holds(const EngineCore& core) noexcept {
    const Frame* frame = top();
    while (frame != nullptr && &frame->core_ != &core) frame = frame->outer_;
    return frame != nullptr;
  }

 private:
  static Frame*& top() noexcept {
    thread_local Frame* top = nullptr;
    return top;
  }

  const EngineCore& core_;
  Frame* const outer_;
};

}  // namespace inferometer
