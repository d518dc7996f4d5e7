// From one stack to another. Not with swapcontext(), which calls the kernel to save a signal mask
// that nobody changes: that takes a hundred times as long.
#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__) || defined(INFEROMETER_EMULATION_UCONTEXT)
#include <ucontext.h>
#define INFEROMETER_STACK_SWITCH_UCONTEXT 1
#else
#define INFEROMETER_STACK_SWITCH_UCONTEXT 0
#endif

namespace inferometer::emulation {

#if INFEROMETER_STACK_SWITCH_UCONTEXT

/// Where a stack was left. Single-owner.
struct StackContext {
  ucontext_t context;
};

/// Makes `context` begin `entry` on a stack. `entry` never returns.
inline void prepare_stack(StackContext& context, char* stack, size_t bytes, void (*entry)()) {
  getcontext(&context.context);
  context.context.uc_stack.ss_sp = stack;
  context.context.uc_stack.ss_size = bytes;
  context.context.uc_link = nullptr;
  makecontext(&context.context, entry, 0);
}

inline void switch_stacks(StackContext& from, StackContext& to) {
  swapcontext(&from.context, &to.context);
}

#else

/// Where a stack was left. Single-owner.
struct StackContext {
  void* top = nullptr;
};

/// Pushes the registers that a function has to preserve, writes the stack pointer to `*from`, and
/// goes on at `to` in the same way.
extern "C" __attribute__((visibility("hidden"))) void inferometer_switch_stacks(void** from,
                                                                                void* to);

/// Makes `context` begin `entry` on a stack. `entry` never returns.
inline void prepare_stack(StackContext& context, char* stack, size_t bytes, void (*entry)()) {
  auto* top = reinterpret_cast<void**>(stack + bytes);
  *--top = nullptr;                         // where `entry` would return to: ends a backtrace
  *--top = reinterpret_cast<void*>(entry);  // where the switch returns to
  for (int registers = 0; registers < 6; ++registers) *--top = nullptr;
  context.top = static_cast<void*>(top);
}

inline void switch_stacks(StackContext& from, StackContext& to) {
  inferometer_switch_stacks(&from.top, to.top);
}

#endif

}  // namespace inferometer::emulation
