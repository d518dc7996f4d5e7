// A stack to run part of a block on.
#pragma once

#include <cstddef>

#include "stack_switch.h"

namespace inferometer::emulation {

/// Runs a function on a stack of its own, and can be left in the middle of it. A fiber that was
/// left may be started anew instead of being resumed: what it was doing is forgotten. Single-owner;
/// all fibers belong to the host thread that runs a device operation.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs `function(argument)` until it ends (true) or leaves (false).
  bool start(void (*function)(void*), void* argument);
  /// Goes on after leave(), until the function ends (true) or leaves again (false).
  bool resume();
  /// Called on a fiber: goes back to whoever started or resumed it.
  static void leave();
  /// Null outside of fibers.
  static Fiber* current();

 private:
  static void entry();

  size_t usable_bytes_;
  char* mapping_;
  char* stack_;
  StackContext context_;
  void* kept_ = nullptr;  // what AddressSanitizer keeps for a stack that was left
  void (*function_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool ended_ = true;
};

}  // namespace inferometer::emulation
